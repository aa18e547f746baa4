/* Distances on ARM: REL32 to data and to a Thumb function, whose lowest bit comes along. */
// arch: armv7 thumbv7
// call: to_data() = &place
// call: to_function() = &target
// call: with_addend() = &place+12
// covers: R_ARM_REL32
    .syntax unified
    .arch armv7-a
    .text
    .arm
    .globl to_data, to_function, with_addend, target
    .type to_data, %function
    .type to_function, %function
    .type with_addend, %function
    .type target, %function
to_data:
    adr  r1, 1f
    ldr  r0, [r1]
    add  r0, r0, r1
    bx   lr
1:  .word place - .
to_function:
    adr  r1, 1f
    ldr  r0, [r1]
    add  r0, r0, r1
    bx   lr
1:  .word target - .
with_addend:
    adr  r1, 1f
    ldr  r0, [r1]
    add  r0, r0, r1
    bx   lr
1:  .word place - . + 12
    .section .text.target, "ax"
    .thumb
    .thumb_func
target:
    bx   lr
    .data
    .globl place
place:
    .word 1
