/* Conditional branches of both states to a function of the other state: there is no conditional BLX, so each needs a stub. */
// arch: armv7
// call: arm_side(1i32) = 100i32
// call: arm_side(0i32) = 7i32
// call: thumb_side(1i32) = 200i32
// call: thumb_side(0i32) = 8i32
// covers: R_ARM_JUMP24 R_ARM_THM_JUMP19
    .syntax unified
    .arch armv7-a
    .section .text.one, "ax"
    .arm
    .globl arm_side, arm_target
    .type arm_side, %function
    .type arm_target, %function
arm_side:
    cmp  r0, #0
    bne  thumb_target
    mov  r0, #7
    bx   lr
arm_target:
    mov  r0, #200
    bx   lr

    .section .text.two, "ax"
    .thumb
    .globl thumb_side, thumb_target
    .type thumb_side, %function
    .type thumb_target, %function
    .thumb_func
thumb_side:
    cmp  r0, #0
    bne.w arm_target
    movs r0, #8
    bx   lr
    .thumb_func
thumb_target:
    movs r0, #100
    bx   lr
