/* PREL31: a distance of 31 bits below a bit that stays as it is, set here. */
// arch: armv7
// layout: near far
// call: distance() = &target
// call: top_bit() = 0x80000000u32
// covers: R_ARM_PREL31
    .syntax unified
    .text
    .arm
    .globl distance, top_bit, target
    .type distance, %function
    .type top_bit, %function
    .type target, %function
distance:
    ldr  r1, =word
    ldr  r0, [r1]
    lsl  r0, r0, #1
    asr  r0, r0, #1
    add  r0, r0, r1
    bx   lr
top_bit:
    ldr  r1, =word
    ldr  r0, [r1]
    and  r0, r0, #0x80000000
    bx   lr
    .ltorg
    .section .text.target, "ax"
    .arm
target:
    bx   lr
    .section .rodata.word, "a"
    .p2align 2
word:
    .reloc ., R_ARM_PREL31, target
    .word 0x80000000
