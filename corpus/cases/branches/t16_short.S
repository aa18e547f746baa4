/* The 16-bit branches of Thumb, unconditional and conditional, to global symbols nearby. */
// arch: thumbv7
// layout: near
// call: jump(1i32) = 100i32
// call: conditional(0i32) = 100i32
// call: conditional(1i32) = 7i32
// covers: R_ARM_THM_JUMP11 R_ARM_THM_JUMP8
    .syntax unified
    .arch armv7-a
    .text
    .thumb
    .globl jump, conditional, hundred
    .type jump, %function
    .type conditional, %function
    .type hundred, %function
    .thumb_func
jump:
    .reloc ., R_ARM_THM_JUMP11, hundred
    .inst.n 0xe7fe               // b, with the addend -4
    .thumb_func
conditional:
    cmp  r0, #0
    .reloc ., R_ARM_THM_JUMP8, hundred
    .inst.n 0xd0fe               // beq, with the addend -4
    movs r0, #7
    bx   lr
    nop
    nop
    .thumb_func
hundred:
    movs r0, #100
    bx   lr
