/* The same in Thumb code; the distance to a Thumb function has its lowest bit set. */
// arch: thumbv7
// call: address() = &place
// call: function() = &target
// covers: R_ARM_THM_MOVW_PREL_NC R_ARM_THM_MOVT_PREL
    .syntax unified
    .arch armv7-a
    .text
    .thumb
    .globl address, function, target
    .type address, %function
    .type function, %function
    .type target, %function
    .thumb_func
address:
    movw r0, #:lower16:(place - (1f + 4))
    movt r0, #:upper16:(place - (1f + 4))
1:  add  r0, pc
    bx   lr
    .thumb_func
function:
    movw r0, #:lower16:(target - (1f + 4))
    movt r0, #:upper16:(target - (1f + 4))
1:  add  r0, pc
    bx   lr
    .section .text.target, "ax"
    .thumb
    .thumb_func
target:
    bx   lr
    .data
    .globl place
place:
    .word 1
