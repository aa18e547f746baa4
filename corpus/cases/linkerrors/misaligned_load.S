/* A 64-bit load by the low 12 bits of an address that is not a multiple of 8: the instruction cannot say it. */
// arch: aarch64 -aarch64_ilp32
// layout: near
// call: load() = 1i64
// link-error: R_AARCH64_LDST64_ABS_LO12_NC
// link-error: misaligned
// link-error: odd_place
// covers: R_AARCH64_LDST64_ABS_LO12_NC
    .text
    .globl load
    .type load, %function
load:
    adrp x0, odd_place
    ldr  x0, [x0, :lo12:odd_place]
    ret
    .data
    .p2align 3
    .word 0
    .globl odd_place
odd_place:
    .xword 1
