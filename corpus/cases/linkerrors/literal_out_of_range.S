/* A literal load whose literal is in another section, out of reach. */
// arch: aarch64 -aarch64_ilp32
// layout: far
// call: load() = 5i32
// link-error: R_AARCH64_LD_PREL_LO19
// link-error: out of range
// link-error: literal
// covers: R_AARCH64_LD_PREL_LO19
    .text
    .globl load
    .type load, %function
load:
    ldr  w0, literal
    ret
    .data
    .globl literal
    .p2align 2
literal:
    .word 5
