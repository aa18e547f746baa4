/* A signing schema with bits that mean nothing. */
// arch: aarch64 -aarch64_ilp32
// build: clang
// layout: near
// link-error: R_AARCH64_AUTH_ABS64
// link-error: the signing schema 0x4000000000000000 has bits set that mean nothing
// keep: pointer
    .data
    .globl pointer
    .p2align 3
pointer:
    .reloc ., R_AARCH64_AUTH_ABS64, pointer
    .xword 0x4000000000000000
