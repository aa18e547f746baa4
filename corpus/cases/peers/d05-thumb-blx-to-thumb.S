/* Defect 5: BLX written in Thumb code, whose target turns out to be Thumb: it has to become BL. */
// arch: thumbv7 armv7
// call: caller() = 52i32
// covers: R_ARM_THM_CALL
    .syntax unified
    .arch armv7-a
    .text
    .thumb
    .globl caller
    .type caller, %function
    .thumb_func
caller:
    push {r4, lr}
    blx  other
    mov  r4, r0
    nop
    blx  other
    add  r0, r4
    pop  {r4, pc}

//--- other.S
    .syntax unified
    .arch armv7-a
    .text
    .thumb
    nop
    .globl other
    .type other, %function
    .thumb_func
other:
    movs r0, #26
    bx   lr
