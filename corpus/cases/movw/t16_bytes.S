/* An address byte by byte, for Thumb-only cores whose code cannot be read as data: MOVS and ADDS of eight bits. */
// arch: thumbv6m
// call: address() = &place
// call: constant() = 0x89abcdefu32
// define: number = 0x89abcdef
// covers: R_ARM_THM_ALU_ABS_G0_NC R_ARM_THM_ALU_ABS_G1_NC R_ARM_THM_ALU_ABS_G2_NC R_ARM_THM_ALU_ABS_G3
    .syntax unified
    .text
    .thumb
    .macro load name
    movs r0, #:upper8_15:\name
    lsls r0, r0, #8
    adds r0, #:upper0_7:\name
    lsls r0, r0, #8
    adds r0, #:lower8_15:\name
    lsls r0, r0, #8
    adds r0, #:lower0_7:\name
    bx   lr
    .endm
    .globl address, constant
    .type address, %function
    .type constant, %function
    .thumb_func
address:
    load place
    .thumb_func
constant:
    load number
    .data
    .globl place
    .byte 0
place:
    .byte 1
