/* A Thumb function that is not on a word boundary, called from its own section and from another one. */
// arch: thumbv7 armv7
// call: use() = 7i32
// call: address() = &odd_half
    .syntax unified
    .arch armv7-a
    .section .text.a, "ax"
    .thumb
    .globl use
    .type use, %function
    .thumb_func
use:
    push {r4, lr}
    bl   odd_half
    mov  r4, r0
    bl   odd_half
    adds r0, r0, r4
    adds r0, #1
    pop  {r4, pc}
    .globl address
    .type address, %function
    .thumb_func
address:
    movw r0, #:lower16:odd_half
    movt r0, #:upper16:odd_half
    bx   lr

    .section .text.b, "ax"
    .p2align 2
    .thumb
    nop
    .globl odd_half
    .type odd_half, %function
    .thumb_func
odd_half:
    movs r0, #3
    bx   lr
