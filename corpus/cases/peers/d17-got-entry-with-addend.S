/* Defect 17: a GOT relocation with an addend. Since AAELF64 2024Q3 the ABI forbids it (GDAT(S), "Relocation operations"), and
   linkers make three things of it. This case says what ours does: an entry for S + A, as earlier releases had it, which is what
   an object means whose assembler has turned a local symbol into its section and an addend. */
// arch: aarch64 -aarch64_ilp32
// call: plain() = &array
// call: offset() = &array+8
// call: value() = 33i32
// covers: R_AARCH64_ADR_GOT_PAGE R_AARCH64_LD64_GOT_LO12_NC
    .text
    .globl plain, offset, value
    .type plain, %function
    .type offset, %function
    .type value, %function
plain:
    adrp x0, :got:array
    ldr  x0, [x0, :got_lo12:array]
    ret
offset:
    adrp x0, :got:array+8
    ldr  x0, [x0, :got_lo12:array+8]
    ret
value:
    adrp x0, :got:array+8
    ldr  x0, [x0, :got_lo12:array+8]
    ldr  w0, [x0]
    ret
    .data
    .globl array
    .p2align 3
array:
    .word 11, 11
    .word 33, 33
