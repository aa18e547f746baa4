/* BLX where the assembler wrote it, to functions of both states: it stays one or becomes BL, as the target asks. */
// arch: armv7
// call: arm_side() = 11i32
// call: thumb_side() = 11i32
// covers: R_ARM_CALL R_ARM_THM_CALL
    .syntax unified
    .arch armv7-a
    .section .text.one, "ax"
    .arm
    .globl arm_side, arm_one
    .type arm_side, %function
    .type arm_one, %function
arm_side:
    push {r4, lr}
    blx  arm_one
    mov  r4, r0
    blx  thumb_ten
    add  r0, r0, r4
    pop  {r4, pc}
arm_one:
    mov  r0, #1
    bx   lr

    .section .text.two, "ax"
    .thumb
    .globl thumb_side, thumb_ten
    .type thumb_side, %function
    .type thumb_ten, %function
    .thumb_func
thumb_side:
    push {r4, lr}
    blx  arm_one
    mov  r4, r0
    blx  thumb_ten
    add  r0, r0, r4
    pop  {r4, pc}
    .thumb_func
thumb_ten:
    movs r0, #10
    bx   lr
