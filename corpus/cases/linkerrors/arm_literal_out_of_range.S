/* LDR by PC reaches 4 KB on ARM: a literal in a far section is out of range. */
// arch: armv7
// layout: far
// call: load() = 5i32
// link-error: R_ARM_LDR_PC_G0
// link-error: out of range
// link-error: literal
// covers: R_ARM_LDR_PC_G0
    .syntax unified
    .text
    .arm
    .globl load
    .type load, %function
load:
    .reloc ., R_ARM_LDR_PC_G0, literal
    ldr  r0, [pc, #-8]
    bx   lr
    .data
    .globl literal
    .p2align 2
literal:
    .word 5
