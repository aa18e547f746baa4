/* A function that returns in the other instruction set has not returned, even though it reaches its caller's address. */
// arch: thumbv7
// call: returns_even() = void
// fault: state
    .syntax unified
    .text
    .thumb
    .globl returns_even
    .type returns_even, %function
returns_even:
    bic  lr, lr, #1
    bx   lr
