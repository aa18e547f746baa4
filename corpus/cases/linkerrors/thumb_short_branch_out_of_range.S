/* The 16-bit Thumb branch reaches 2 KB, and nobody puts a veneer there. */
// arch: thumbv7
// layout: far
// call: jump() = 5i32
// link-error: R_ARM_THM_JUMP11
// link-error: out of range
// link-error: distant
// covers: R_ARM_THM_JUMP11
    .syntax unified
    .arch armv7-a
    .text
    .thumb
    .globl jump
    .type jump, %function
    .thumb_func
jump:
    .reloc ., R_ARM_THM_JUMP11, distant
    .inst.n 0xe7fe               // b .  with addend -4
    .section .text.distant, "ax"
    .thumb
    .globl distant
    .type distant, %function
    .thumb_func
distant:
    movs r0, #5
    bx   lr
