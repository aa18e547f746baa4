/* Defect 3: MOVW/MOVT of a local Thumb function sets the lowest bit as well. */
// arch: thumbv7
// call: low_bit() = 1i32
// call: through() = 14i32
// covers: R_ARM_THM_MOVW_ABS_NC R_ARM_THM_MOVT_ABS
    .syntax unified
    .arch armv7-a
    .text
    .thumb
    .globl low_bit, through
    .type low_bit, %function
    .type through, %function
    .type local, %function
    .thumb_func
low_bit:
    movw r0, #:lower16:local
    movt r0, #:upper16:local
    and  r0, r0, #1
    bx   lr
    .thumb_func
through:
    movw r3, #:lower16:local
    movt r3, #:upper16:local
    bx   r3
    .thumb_func
local:
    movs r0, #14
    bx   lr
