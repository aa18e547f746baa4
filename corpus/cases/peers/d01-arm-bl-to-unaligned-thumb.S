/* Defect 1: BL from ARM code to a Thumb function at an address that is 2 modulo 4. The BLX needs its H bit, or the call
   lands two bytes early, in the function before. */
// arch: armv7
// call: caller() = 2i32
// call: caller_aligned() = 1i32
// covers: R_ARM_CALL
    .syntax unified
    .arch armv7-a
    .text
    .arm
    .globl caller, caller_aligned
    .type caller, %function
    .type caller_aligned, %function
caller:
    push {r4, lr}
    bl   at_two
    pop  {r4, pc}
caller_aligned:
    push {r4, lr}
    bl   at_zero
    pop  {r4, pc}

//--- thumb.S
    .syntax unified
    .arch armv7-a
    .text
    .p2align 2
    .thumb
    .globl at_zero, at_two
    .type at_zero, %function
    .type at_two, %function
    .thumb_func
at_zero:
    movs r0, #1
    bx   lr
    nop
    .thumb_func
at_two:
    movs r0, #2
    bx   lr
