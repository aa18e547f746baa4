/* A distance by MOVW and MOVT, added to PC: position-independent without a literal. */
// arch: armv7
// call: address() = &place
// call: function() = &target
// covers: R_ARM_MOVW_PREL_NC R_ARM_MOVT_PREL
    .syntax unified
    .arch armv7-a
    .text
    .arm
    .globl address, function, target
    .type address, %function
    .type function, %function
    .type target, %function
address:
    movw r0, #:lower16:(place - (1f + 8))
    movt r0, #:upper16:(place - (1f + 8))
1:  add  r0, pc, r0
    bx   lr
function:
    movw r0, #:lower16:(target - (1f + 8))
    movt r0, #:upper16:(target - (1f + 8))
1:  add  r0, pc, r0
    bx   lr
    .section .text.target, "ax"
    .arm
target:
    bx   lr
    .data
    .globl place
place:
    .word 1
