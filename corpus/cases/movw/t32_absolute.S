/* MOVW and MOVT of Thumb code, whose sixteen bits lie in four fields, into low and high registers. */
// arch: thumbv7 thumbv7m
// for: ADDEND = 0 1 0x7fff
// call: address() = &place+$ADDEND
// call: in_high_register() = &place+$ADDEND
// covers: R_ARM_THM_MOVW_ABS_NC R_ARM_THM_MOVT_ABS
    .syntax unified
    .text
    .thumb
    .globl address, in_high_register
    .type address, %function
    .type in_high_register, %function
    .thumb_func
address:
    movw r0, #:lower16:(place + ADDEND)
    movt r0, #:upper16:(place + ADDEND)
    bx   lr
    .thumb_func
in_high_register:
    movw r12, #:lower16:(place + ADDEND)
    movt r12, #:upper16:(place + ADDEND)
    mov  r0, r12
    bx   lr
    .data
    .globl place
    .byte 0
place:
    .byte 1
