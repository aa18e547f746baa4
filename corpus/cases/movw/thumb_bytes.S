/* An address byte by byte in 16-bit moves and additions, as cores without MOVW have it, here on one that has. */
// arch: thumbv7
// build: clang
// layout: near high
// call: address() = &place
// covers: R_ARM_THM_ALU_ABS_G3 R_ARM_THM_ALU_ABS_G2_NC R_ARM_THM_ALU_ABS_G1_NC R_ARM_THM_ALU_ABS_G0_NC
    .syntax unified
    .arch armv7-a
    .text
    .thumb
    .globl address
    .type address, %function
    .thumb_func
address:
    .reloc ., R_ARM_THM_ALU_ABS_G3, place
    movs r0, #0
    lsls r0, r0, #8
    .reloc ., R_ARM_THM_ALU_ABS_G2_NC, place
    adds r0, #0
    lsls r0, r0, #8
    .reloc ., R_ARM_THM_ALU_ABS_G1_NC, place
    adds r0, #0
    lsls r0, r0, #8
    .reloc ., R_ARM_THM_ALU_ABS_G0_NC, place
    adds r0, #0
    bx   lr
    .data
    .globl place
    .p2align 2
    .space 0x124
place:
    .word 5
