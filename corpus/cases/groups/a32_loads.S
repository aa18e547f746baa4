/* The last piece of a distance as the offset of a load: twelve bits for words and bytes, after none, one or two ADDs. */
// arch: armv7
// layout: near
// call: none() = 11i32
// call: one() = 22i32
// call: two() = 33i32
// covers: R_ARM_LDR_PC_G0 R_ARM_LDR_PC_G1 R_ARM_LDR_PC_G2 R_ARM_ALU_PC_G0_NC R_ARM_ALU_PC_G1_NC
    .syntax unified
    .text
    .arm
    .globl none, one, two, own
    .type none, %function
    .type one, %function
    .type two, %function
none:
    .reloc ., R_ARM_LDR_PC_G0, own
    ldr  r0, [pc, #-8]
    bx   lr
own:
    .word 11
one:
    .reloc ., R_ARM_ALU_PC_G0_NC, other
    sub  r1, pc, #8
    .reloc ., R_ARM_LDR_PC_G1, other
    ldr  r0, [r1, #-4]
    bx   lr
two:
    .reloc ., R_ARM_ALU_PC_G0_NC, third
    sub  r1, pc, #8
    .reloc ., R_ARM_ALU_PC_G1_NC, third
    sub  r1, r1, #4
    .reloc ., R_ARM_LDR_PC_G2, third
    ldr  r0, [r1, #0]
    bx   lr
    .data
    .globl other, third
    .p2align 2
other:
    .word 22
    .space 0x2344
third:
    .word 33
