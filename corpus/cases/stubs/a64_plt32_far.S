/* Offsets to functions in a read-only table, as in relative vtables. The functions are beyond 32 bits, so the table names stubs,
   which have to be in code; the second entry counts from the start of the table, so its addend is no offset into the function. */
// arch: aarch64 -aarch64_ilp32
// build: clang
// layout: near at:far.o(.text.far)=0x7f0000000000
// call: first() = 42i32
// call: second() = 43i32
// covers: R_AARCH64_PLT32
    .text
    .globl first, second
    .type first, %function
    .type second, %function
first:
    adrp x1, table
    add  x1, x1, :lo12:table
    ldrsw x2, [x1]
    add  x1, x1, x2
    br   x1
second:
    adrp x1, table
    add  x1, x1, :lo12:table
    ldrsw x2, [x1, #4]
    add  x1, x1, x2
    br   x1
    .section .rodata.table, "a"
    .p2align 2
table:
    .word f@PLT - .
    .word g@PLT - table

//--- far.S
    .section .text.far, "ax"
    .globl f, g
    .type f, %function
    .type g, %function
f:  mov  w0, #42
    ret
g:  mov  w0, #43
    ret
