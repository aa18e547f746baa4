/* A literal at an address that is not a multiple of 4. */
// arch: aarch64 -aarch64_ilp32
// layout: near
// call: load() = 1i32
// link-error: R_AARCH64_LD_PREL_LO19
// link-error: misaligned
// link-error: literal
    .text
    .globl load
    .type load, %function
load:
    ldr  w0, literal
    ret
    .data
    .p2align 2
    .byte 1
    .globl literal
literal:
    .word 5
