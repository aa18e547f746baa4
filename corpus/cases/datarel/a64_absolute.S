/* Absolute data of 64, 32 and 16 bits, the smaller ones of fixed symbols, signed and unsigned at their limits. */
// arch: aarch64 -aarch64_ilp32
// define: half = 0xffff
// define: word = 0xffffffff
// define: zero = 0
// call: table_address() = &table
// memory: table = &place &place+5
// memory: words = 0xffffffffu32 0x80000000u32 5i32
// memory(little): halves = ff ff 00 80 05 00
// memory(big): halves = ff ff 80 00 00 05
// covers: R_AARCH64_ABS64 R_AARCH64_ABS32 R_AARCH64_ABS16
    .text
    .globl table_address
    .type table_address, %function
table_address:
    adrp x0, table
    add  x0, x0, :lo12:table
    adrp x1, words
    adrp x2, halves
    ret
    .data
    .globl table, words, halves, place
    .p2align 3
table:
    .xword place, place+5
words:
    .word word, zero-0x80000000, zero+5
halves:
    .hword half, zero-0x8000, zero+5
place:
    .space 8
