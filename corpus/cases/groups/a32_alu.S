/* A distance in pieces of eight bits at even positions, one ADD or SUB each: one piece, two, and three of them. */
// arch: armv7
// layout: near
// call: one() = &close_by
// call: two() = &place
// call: three() = &distant
// call: back() = &one
// covers: R_ARM_ALU_PC_G0 R_ARM_ALU_PC_G0_NC R_ARM_ALU_PC_G1 R_ARM_ALU_PC_G1_NC R_ARM_ALU_PC_G2
    .syntax unified
    .text
    .arm
    .p2align 8
    .globl one, two, three, back, close_by
    .type one, %function
    .type two, %function
    .type three, %function
    .type back, %function
one:
    .reloc ., R_ARM_ALU_PC_G0, close_by
    sub  r0, pc, #8
    bx   lr
close_by:
    .word 0
two:
    .reloc ., R_ARM_ALU_PC_G0_NC, place
    sub  r0, pc, #8
    .reloc ., R_ARM_ALU_PC_G1, place
    sub  r0, r0, #4
    bx   lr
three:
    .reloc ., R_ARM_ALU_PC_G0_NC, distant
    sub  r0, pc, #8
    .reloc ., R_ARM_ALU_PC_G1_NC, distant
    sub  r0, r0, #4
    .reloc ., R_ARM_ALU_PC_G2, distant
    add  r0, r0, #0
    bx   lr
back:
    .reloc ., R_ARM_ALU_PC_G0, one
    sub  r0, pc, #8
    bx   lr
    .bss
    .globl place, distant
    .p2align 8
    .space 0x14
place:
    .space 0x43210
distant:
    .space 4
