/* Halfword, signed and double loads have eight bits of offset, in two fields. */
// arch: armv7
// layout: near
// call: none() = -2i32
// call: one() = 0x1234i32
// call: two() = -3i32
// call(little): pair() = 0x2222222211111111i64
// call(big): pair() = 0x1111111122222222i64
// covers: R_ARM_LDRS_PC_G0 R_ARM_LDRS_PC_G1 R_ARM_LDRS_PC_G2
    .syntax unified
    .text
    .arm
    .globl none, one, two, pair, own
    .type none, %function
    .type one, %function
    .type two, %function
    .type pair, %function
none:
    .reloc ., R_ARM_LDRS_PC_G0, own
    ldrsh r0, [pc, #-8]
    bx   lr
own:
    .hword -2, 0
one:
    .reloc ., R_ARM_ALU_PC_G0_NC, half
    sub  r1, pc, #8
    .reloc ., R_ARM_LDRS_PC_G1, half
    ldrh r0, [r1, #-4]
    bx   lr
two:
    .reloc ., R_ARM_ALU_PC_G0_NC, negative
    sub  r1, pc, #8
    .reloc ., R_ARM_ALU_PC_G1_NC, negative
    sub  r1, r1, #4
    .reloc ., R_ARM_LDRS_PC_G2, negative
    ldrsb r0, [r1, #0]
    bx   lr
pair:
    .reloc ., R_ARM_ALU_PC_G0_NC, double
    sub  r2, pc, #8
    .reloc ., R_ARM_LDRS_PC_G1, double
    ldrd r0, r1, [r2, #-4]
    bx   lr
    .space 0x2000                // far enough for two pieces, and the same in every layout
    .globl half, negative, double
    .p2align 3
double:
    .word 0x11111111, 0x22222222
half:
    .hword 0x1234
negative:
    .byte -3
