/* CBZ and CBNZ: forwards only, up to 126 bytes. The field holds its addend modulo 128, so that of -4 is written as 124. */
// arch: thumbv7
// layout: near
// call: compare(0i32) = 100i32
// call: compare(2i32) = 8i32
// call: not_zero(2i32) = 100i32
// call: not_zero(0i32) = 9i32
// covers: R_ARM_THM_JUMP6
    .syntax unified
    .arch armv7-a
    .text
    .thumb
    .globl compare, not_zero, hundred
    .type compare, %function
    .type not_zero, %function
    .type hundred, %function
    .thumb_func
compare:
    .reloc ., R_ARM_THM_JUMP6, hundred
    .inst.n 0xb3f0               // cbz r0, with the addend -4
    movs r0, #8
    bx   lr
    .space 80
    .thumb_func
not_zero:
    .reloc ., R_ARM_THM_JUMP6, hundred
    .inst.n 0xbbf0               // cbnz r0, with the addend -4
    movs r0, #9
    bx   lr
    .thumb_func
hundred:
    movs r0, #100
    bx   lr
