/* The distance to a function, or to a stub of it, in 32 bits: tables of virtual functions are made of these. */
// arch: aarch64
// build: clang
// layout: near far
// call: run_local(4i32) = 5i32
// call: run_other(4i32) = 40i32
// covers: R_AARCH64_PLT32
    .text
    .globl run_local, run_other, local
    .type run_local, %function
    .type run_other, %function
    .type local, %function
run_local:
    adrp x1, table
    add  x1, x1, :lo12:table
    ldrsw x2, [x1]
    add  x2, x2, x1
    br   x2
run_other:
    adrp x1, table
    add  x1, x1, :lo12:table
    ldrsw x2, [x1, #4]
    add  x2, x2, x1
    br   x2
local:
    add  w0, w0, #1
    ret
    .section .rodata.table, "a"
    .p2align 2
table:
    .word local@PLT - .
    .word other@PLT - . + 4

//--- other.S
    .text
    .globl other
    .type other, %function
other:
    mov  w1, #10
    mul  w0, w0, w1
    ret
