/* MOVW and MOVT of ARM code: sixteen bits each, split four and twelve; addends of both signs. */
// arch: armv7
// for: ADDEND = 0 1 0x7fff
// call: address() = &place+$ADDEND
// call: below() = 1i32
// covers: R_ARM_MOVW_ABS_NC R_ARM_MOVT_ABS
    .syntax unified
    .arch armv7-a
    .text
    .arm
    .globl address, below
    .type address, %function
    .type below, %function
address:
    movw r0, #:lower16:(place + ADDEND)
    movt r0, #:upper16:(place + ADDEND)
    bx   lr
below:
    movw r0, #:lower16:(place - ADDEND)
    movt r0, #:upper16:(place - ADDEND)
    movw r1, #ADDEND
    add  r0, r0, r1
    ldr  r1, =place
    sub  r0, r0, r1
    rsbs r0, r0, #1
    bx   lr
    .ltorg
    .data
    .globl place
    .byte 0
place:
    .byte 1
