/* A 32-bit word for an address above 4 GB on AArch64. */
// arch: aarch64 -aarch64_ilp32
// layout: near
// define: beyond = 0x100000000
// call: get() = 1i32
// link-error: R_AARCH64_ABS32
// link-error: out of range
// link-error: beyond
// covers: R_AARCH64_ABS32
    .text
    .globl get
    .type get, %function
get:
    adrp x0, word
    ldr  w0, [x0, :lo12:word]
    ret
    .data
word:
    .word beyond
