/* Absolute data of 32, 16 and 8 bits; the smaller ones of fixed symbols, at their limits. */
// arch: armv7 thumbv7
// define: byte = 0xff
// define: half = 0xffff
// define: zero = 0
// call: table_address() = &table
// memory: table = &place &place+5
// memory(little): halves = ff ff 00 80 05 00
// memory(big): halves = ff ff 80 00 00 05
// memory: bytes = ff 80 05
// covers: R_ARM_ABS32 R_ARM_ABS16 R_ARM_ABS8
    .syntax unified
    .text
    .arm
    .globl table_address
    .type table_address, %function
table_address:
    ldr  r0, =table
    ldr  r1, =halves
    ldr  r2, =bytes
    bx   lr
    .ltorg
    .data
    .globl table, halves, bytes, place
    .p2align 2
table:
    .word place, place+5
halves:
    .hword half, zero-0x8000, zero+5
bytes:
    .byte byte, zero-0x80, zero+5
place:
    .space 8
