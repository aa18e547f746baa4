/* The page of a variable's entry in one section, its load in another, which other code reaches, too: all of a variable's accesses are
   rewritten or none is. The second variable is loaded once into another register, so none of its accesses may change. */
// arch: aarch64 -aarch64_ilp32
// build: @asm
// call: first(0i32) = 1i32
// call: first(1i32) = 1i32
// call: second(0i32) = 2i32
// call: second(1i32) = 2i32
// layout: near random:1
// covers: R_AARCH64_TLSIE_ADR_GOTTPREL_PAGE21 R_AARCH64_TLSIE_LD64_GOTTPREL_LO12_NC
    .section .text.one, "ax", %progbits
    .globl first, second
    .type first, %function
    .type second, %function
first:
    cbz  w0, 1f
    adrp x1, :gottprel:one
    b    load_one
1:  adrp x1, :gottprel:one
    b    load_one
second:
    adrp x1, :gottprel:two
    cbz  w0, 1f
    b    load_two
1:  ldr  x3, [x1, :gottprel_lo12:two]
    b    read_two
    .section .text.two, "ax", %progbits
    .globl load_one, load_two, read_two
    .type load_one, %function
    .type load_two, %function
    .type read_two, %function
load_one:
    ldr  x1, [x1, :gottprel_lo12:one]
    mrs  x2, tpidr_el0
    ldr  w0, [x2, x1]
    ret
load_two:
    ldr  x1, [x1, :gottprel_lo12:two]
    mov  x3, x1
read_two:
    mrs  x2, tpidr_el0
    ldr  w0, [x2, x3]
    ret
    .section .tdata, "awT", %progbits
    .p2align 2
    .globl one, two
    .type one, %object
    .type two, %object
one:
    .word 1
two:
    .word 2
