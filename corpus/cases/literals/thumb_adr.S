/* ADR.W in Thumb code: ADD or SUB of 12 bits to the word-aligned PC. */
// arch: thumbv7
// layout: near
// call: ahead() = &literal
// call: back() = &behind_literal
// covers: R_ARM_THM_ALU_PREL_11_0
    .syntax unified
    .arch armv7-a
    .text
    .thumb
    .p2align 2
    .globl behind_literal
behind_literal:
    .word 0x55667788
    .globl ahead, back
    .type ahead, %function
    .type back, %function
    .thumb_func
ahead:
    .reloc ., R_ARM_THM_ALU_PREL_11_0, literal
    .inst.w 0xf2af0004           // subw r0, pc, #4
    bx   lr
    nop
    .thumb_func
back:
    .reloc ., R_ARM_THM_ALU_PREL_11_0, behind_literal
    .inst.w 0xf2af0004
    bx   lr
    .p2align 2
    .globl literal
literal:
    .word 0x11223344
