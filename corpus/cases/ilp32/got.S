/* ILP32: table entries of 32 bits, by page, by offset from the table's page, and by literal. */
// arch: aarch64_ilp32
// layout: near high
// build: gcc
// call: by_page() = &variable
// call: by_table() = &variable
// call: by_literal() = &variable+8
// covers: R_AARCH64_P32_ADR_GOT_PAGE R_AARCH64_P32_LD32_GOT_LO12_NC R_AARCH64_P32_LD32_GOTPAGE_LO14 R_AARCH64_P32_GOT_LD_PREL19
    .text
    .globl by_page, by_table, by_literal
    .type by_page, %function
    .type by_table, %function
    .type by_literal, %function
by_page:
    adrp x0, :got:variable
    ldr  w0, [x0, :got_lo12:variable]
    ret
by_table:
    adrp x0, _GLOBAL_OFFSET_TABLE_
    ldr  w0, [x0, :gotpage_lo14:variable]
    ret
by_literal:
    ldr  w0, :got:variable
    add  w0, w0, #8
    ret
    .data
    .globl variable
    .p2align 3
variable:
    .xword 1, 2
