/* Code for Thumb-only cores by hand: literal pools, the address of a function, a call through a register. */
// arch: thumbv6m thumbv7m
// call: load() = 77i32
// call: through() = 78i32
// call: address() = &target
// covers: R_ARM_ABS32 R_ARM_THM_CALL
    .syntax unified
    .text
    .thumb
    .globl load, through, address, target
    .type load, %function
    .type through, %function
    .type address, %function
    .type target, %function
    .thumb_func
load:
    ldr  r0, =value
    ldr  r0, [r0]
    bx   lr
    .thumb_func
through:
    push {r4, lr}
    bl   load
    ldr  r3, =target
    blx  r3
    pop  {r4, pc}
    .thumb_func
address:
    ldr  r0, =target
    bx   lr
    .p2align 2
    .ltorg
    .section .text.target, "ax"
    .thumb
    .thumb_func
target:
    adds r0, #1
    bx   lr
    .data
    .p2align 2
value:
    .word 77
