/* PREL31 has 31 bits: more than 1 GB away is out of range. */
// arch: armv7
// layout: near
// define: remote = 0x90000000
// call: get() = 1i32
// link-error: R_ARM_PREL31
// link-error: out of range
// link-error: remote
    .syntax unified
    .text
    .arm
    .globl get
    .type get, %function
get:
    ldr  r0, 1f
    bx   lr
    .reloc ., R_ARM_PREL31, remote
1:  .word 0
