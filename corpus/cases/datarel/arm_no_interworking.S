/* ABS32_NOI and REL32_NOI: the address of a Thumb function without its lowest bit. */
// arch: armv7
// call: absolute_bit() = 0i32
// call: relative_bit() = 0i32
// call: ordinary_bit() = 1i32
// covers: R_ARM_ABS32_NOI R_ARM_REL32_NOI R_ARM_ABS32
    .syntax unified
    .arch armv7-a
    .text
    .arm
    .globl absolute_bit, relative_bit, ordinary_bit, target
    .type absolute_bit, %function
    .type relative_bit, %function
    .type ordinary_bit, %function
    .type target, %function
absolute_bit:
    ldr  r0, 1f
    and  r0, r0, #1
    bx   lr
    .reloc ., R_ARM_ABS32_NOI, target
1:  .word 0
relative_bit:
    ldr  r0, 1f
    and  r0, r0, #1
    bx   lr
    .reloc ., R_ARM_REL32_NOI, target
1:  .word 0
ordinary_bit:
    ldr  r0, 1f
    and  r0, r0, #1
    bx   lr
1:  .word target
    .section .text.target, "ax"
    .thumb
    .thumb_func
target:
    bx   lr
