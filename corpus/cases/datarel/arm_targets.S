/* TARGET1 and TARGET2 mean what the platform says: an address, and the distance to a GOT entry, as on Linux. */
// arch: armv7
// call: first() = &place
// call: second() = &place
// covers: R_ARM_TARGET1 R_ARM_TARGET2
    .syntax unified
    .text
    .arm
    .globl first, second
    .type first, %function
    .type second, %function
first:
    ldr  r0, 1f
    bx   lr
1:  .word place(TARGET1)
second:
    adr  r1, 1f
    ldr  r0, [r1]
    ldr  r0, [r0, r1]
    bx   lr
1:  .word place(TARGET2)
    .data
    .globl place
place:
    .word 1
