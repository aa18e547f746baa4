/* ARM data relocations of 8 and 16 bits have a check. */
// arch: armv7
// for: SIZE = 8 16
// layout: near
// define: too_large = 0x10000
// call: get() = 1i32
// link-error: R_ARM_ABS$SIZE
// link-error: out of range
// link-error: too_large
    .syntax unified
    .text
    .arm
    .globl get
    .type get, %function
get:
    ldr  r0, =place
    ldrb r0, [r0]
    bx   lr
    .ltorg
    .data
place:
#if SIZE == 8
    .byte too_large
#else
    .hword too_large
#endif
