/* Loads of floating-point registers count their offset in words. */
// arch: armv7
// layout: near
// call: none() = 0x40200000u32
// call: one() = 0x3fc00000u32
// call: two() = 0x3fc00000u32
// covers: R_ARM_LDC_PC_G0 R_ARM_LDC_PC_G1 R_ARM_LDC_PC_G2
    .syntax unified
    .arch armv7-a
    .fpu vfpv3-d16
    .text
    .arm
    .globl none, one, two, own
    .type none, %function
    .type one, %function
    .type two, %function
none:
    .reloc ., R_ARM_LDC_PC_G0, own
    vldr s0, [pc, #-8]
    vmov r0, s0
    bx   lr
own:
    .word 0x40200000
one:
    .reloc ., R_ARM_ALU_PC_G0_NC, real
    sub  r1, pc, #8
    .reloc ., R_ARM_LDC_PC_G1, real
    vldr s0, [r1, #-4]
    vmov r0, s0
    bx   lr
two:
    .reloc ., R_ARM_ALU_PC_G0_NC, real
    sub  r1, pc, #8
    .reloc ., R_ARM_ALU_PC_G1_NC, real
    sub  r1, r1, #4
    .reloc ., R_ARM_LDC_PC_G2, real
    vldr s0, [r1, #0]
    vmov r0, s0
    bx   lr
    .space 0x2000                // far enough for two pieces, and the same in every layout
    .globl real
    .p2align 2
    .word 0
real:
    .word 0x3fc00000
