/* R_ARM_TARGET2 on microcontrollers, which have no operating system: the distance to a type, where Linux has the distance to
   an entry that holds its address. */
// arch: thumbv7m
// call: type() = &place
// covers: R_ARM_TARGET2
    .syntax unified
    .thumb
    .text
    .globl type
    .type type, %function
    .balign 4
type:
    adr  r1, 1f
    ldr  r0, [r1]
    add  r0, r0, r1
    bx   lr
    .balign 4
1:  .word place(TARGET2)
    .data
    .globl place
place:
    .word 1
