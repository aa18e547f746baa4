/* A core without A32 cannot branch to an even address. */
// arch: thumbv6m thumbv7m
// call: to_even() = void
// fault: state
    .syntax unified
    .text
    .thumb
    .globl to_even
    .type to_even, %function
to_even:
    adr  r0, target
    bx   r0
    .p2align 2
target:
    bx   lr
