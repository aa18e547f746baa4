/* Literal loads by PC from another section: 32 and 64 bits, sign-extended, floating point, 128 bits. */
// arch: aarch64
// layout: near
// call: word() = 0x80000001u32
// call: extended() = -2147483647i64
// call: wide() = 0x1122334455667788i64
// call: single() = 1.5f32
// call(little): quad() = 0x1122334455667788i64
// call(big): quad() = 0i64
// covers: R_AARCH64_LD_PREL_LO19
    .text
    .globl word, extended, wide, single, quad
    .type word, %function
    .type extended, %function
    .type wide, %function
    .type single, %function
    .type quad, %function
word:
    ldr  w0, negative
    ret
extended:
    ldrsw x0, negative
    ret
wide:
    ldr  x0, big
    ret
single:
    ldr  s0, real
    ret
quad:
    ldr  q0, big
    fmov x0, d0
    ret
    .section .rodata.literals, "a"
    .p2align 4
    .globl negative, big, real
big:
    .xword 0x1122334455667788, 0
negative:
    .word 0x80000001
real:
    .word 0x3fc00000
