/* Literal loads by PC in Thumb code: 16-bit with words ahead, 32-bit in both directions. */
// arch: thumbv7
// layout: near
// call: narrow() = 0x11223344u32
// call: wide() = 0x11223344u32
// call: behind() = 0x55667788u32
// covers: R_ARM_THM_PC8 R_ARM_THM_PC12
    .syntax unified
    .arch armv7-a
    .text
    .thumb
    .p2align 2
    .globl behind_literal
behind_literal:
    .word 0x55667788
    .globl narrow, wide, behind
    .type narrow, %function
    .type wide, %function
    .type behind, %function
    .thumb_func
narrow:
    .reloc ., R_ARM_THM_PC8, literal
    .inst.n 0x48ff               // ldr r0, [pc, ...] with the addend -4
    bx   lr
    .thumb_func
wide:
    .reloc ., R_ARM_THM_PC12, literal
    .inst.w 0xf85f0004           // ldr.w r0, [pc, #-4]
    bx   lr
    nop
    .thumb_func
behind:
    .reloc ., R_ARM_THM_PC12, behind_literal
    .inst.w 0xf85f0004
    bx   lr
    nop
    .p2align 2
    .globl literal
literal:
    .word 0x11223344
