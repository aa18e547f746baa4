/* BL in code for cores without Thumb-2: the pair of 16-bit halves has the same relocation. */
// arch: thumbv6m
// call: use(3i32) = 31i32
// covers: R_ARM_THM_CALL
    .syntax unified
    .text
    .thumb
    .globl use
    .type use, %function
    .thumb_func
use:
    push {r4, lr}
    bl   callee
    adds r0, #1
    pop  {r4, pc}

//--- callee.S
    .syntax unified
    .text
    .thumb
    nop
    .globl callee
    .type callee, %function
    .thumb_func
callee:
    movs r1, #10
    muls r0, r1, r0
    bx   lr
