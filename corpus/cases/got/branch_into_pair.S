/* Two ways to one load from the table, each with a page instruction of its own: neither may be taken for the other's, so nothing here
   becomes an addition (AAELF64 2026Q2, Relocation optimization). */
// arch: aarch64 -aarch64_ilp32
// build: @asm
// call: fetch(0i32) = 42i32
// call: fetch(1i32) = 42i32
// call: pairs() = 84i32
// covers: R_AARCH64_ADR_GOT_PAGE
    .text
    .globl fetch
    .type fetch, %function
fetch:
    cbz  w0, other
    adrp x1, :got:value
    b    load
other:
    adrp x1, :got:value
load:
    ldr  x1, [x1, :got_lo12:value]
    ldr  w0, [x1]
    ret
    .globl pairs
    .type pairs, %function
pairs:
    adrp x1, :got:second
    ldr  x1, [x1, :got_lo12:second]
    ldr  w0, [x1]
    adrp x2, :got:second
    ldr  x2, [x2, :got_lo12:second]
    ldr  w2, [x2]
    add  w0, w0, w2
    ret
    .data
    .p2align 2
    .globl value, second
value:
    .word 42
second:
    .word 42
