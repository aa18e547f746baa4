/* The last piece of a group has a check: what one ADD cannot hold must not be lost. */
// arch: armv7
// layout: near
// define: odd = 0x12345678
// call: address() = &odd
// link-error: R_ARM_ALU_PC_G0
// link-error: out of range
// link-error: odd
    .syntax unified
    .text
    .arm
    .globl address
    .type address, %function
address:
    .reloc ., R_ARM_ALU_PC_G0, odd
    sub  r0, pc, #8
    bx   lr
