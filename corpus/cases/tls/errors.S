/* Offsets from the thread pointer are for thread-local variables, and nothing else is. */
// arch: aarch64 -aarch64_ilp32
// build: clang
// for: KIND = 1 2
// call: f() = void
// link-error(KIND=1): R_AARCH64_TLSLE_ADD_TPREL_HI12 against `plain`
// link-error(KIND=1): the relocation is for thread-local variables, but the symbol is none
// link-error(KIND=2): R_AARCH64_ADR_PREL_PG_HI21 against `local`
// link-error(KIND=2): the symbol is a thread-local variable, but the relocation is not for those
// layout: near
    .text
    .globl f
    .type f, %function
f:
#if KIND == 1
    add  x0, x0, #:tprel_hi12:plain
#else
    adrp x0, local
#endif
    ret
    .data
    .globl plain
plain: .xword 1
    .section .tdata, "awT", %progbits
    .globl local
local: .xword 1
