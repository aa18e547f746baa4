/* A literal at an offset from a symbol, before and after it. */
// arch: aarch64
// layout: near
// call: after() = 33i32
// call: before() = 11i32
// covers: R_AARCH64_LD_PREL_LO19
    .text
    .globl after, before
    .type after, %function
    .type before, %function
after:
    ldr  w0, middle+4
    ret
before:
    ldr  w0, middle-4
    ret
    .data
    .p2align 2
    .word 11
    .globl middle
middle:
    .word 22, 33
