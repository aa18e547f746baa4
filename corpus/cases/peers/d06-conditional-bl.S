/* Defect 6: branches with a condition. BLNE and BNE carry R_ARM_JUMP24 and keep their condition. */
// arch: armv7
// call: if_not_zero(1i32) = 66i32
// call: if_not_zero(0i32) = 0i32
// call: jump_if_zero(0i32) = 65i32
// call: jump_if_zero(5i32) = 5i32
// covers: R_ARM_JUMP24
    .syntax unified
    .text
    .arm
    .globl if_not_zero, jump_if_zero
    .type if_not_zero, %function
    .type jump_if_zero, %function
if_not_zero:
    push {r4, lr}
    cmp  r0, #0
    blne f
    cmp  r0, #0
    addne r0, r0, #1
    pop  {r4, pc}
jump_if_zero:
    cmp  r0, #0
    beq  f
    bx   lr

//--- f.S
    .syntax unified
    .text
    .arm
    .globl f
    .type f, %function
f:  mov  r0, #65
    bx   lr
