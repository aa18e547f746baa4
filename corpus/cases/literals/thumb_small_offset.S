/* R_ARM_THM_ABS5: five bits of an absolute address, in words, as the offset of a 16-bit load. */
// arch: thumbv7 armv7
// build: clang
// layout: near
// define: small = 8
// call: third() = 33i32
// covers: R_ARM_THM_ABS5
    .syntax unified
    .arch armv7-a
    .text
    .thumb
    .globl third
    .type third, %function
    .thumb_func
third:
    ldr  r1, =words
    .reloc ., R_ARM_THM_ABS5, small
    ldr  r0, [r1]
    bx   lr
    .ltorg
    .data
    .p2align 2
words:
    .word 11, 22, 33, 44
