/* Loads of what is so far away that the third piece is not zero. The variable gets its value by its address. */
// arch: armv7
// layout: near
// call: word() = 0x00210021u32
// call: half() = 0x21u32
// call: real() = 0x00210021u32
// covers: R_ARM_LDR_PC_G2 R_ARM_LDRS_PC_G2 R_ARM_LDC_PC_G2
    .syntax unified
    .arch armv7-a
    .fpu vfpv3-d16
    .text
    .arm
    .macro load name, group, instruction:vararg
    .globl \name
    .type \name, %function
\name:
    ldr  r2, =variable
    ldr  r1, =0x00210021
    str  r1, [r2]
    .reloc ., R_ARM_ALU_PC_G0_NC, variable
    sub  r3, pc, #8
    .reloc ., R_ARM_ALU_PC_G1_NC, variable
    sub  r3, r3, #4
    .reloc ., R_ARM_\group\()_PC_G2, variable
    \instruction
    .endm
    load word, LDR, ldr r0, [r3]
    bx   lr
    load half, LDRS, ldrh r0, [r3]
    bx   lr
    load real, LDC, vldr s0, [r3]
    vmov r0, s0
    bx   lr
    .ltorg
    .bss
    .p2align 8
    .space 0x123454
variable:
    .space 4
