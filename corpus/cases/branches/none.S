/* R_ARM_NONE and R_AARCH64_NONE change nothing, but keep their target in the link: here a section that announces itself. */
// call: use(4i32) = 5i32
#if defined(__aarch64__)
#define NOTHING R_AARCH64_NONE
#else
#define NOTHING R_ARM_NONE
    .syntax unified
    .arm
#endif
    .text
    .globl use
    .type use, %function
use:
    .reloc ., NOTHING, kept
#if defined(__aarch64__)
    add  w0, w0, #1
    ret
#else
    add  r0, r0, #1
    bx   lr
#endif
    .data
    .globl kept
    .p2align 2
kept:
    .word 1
