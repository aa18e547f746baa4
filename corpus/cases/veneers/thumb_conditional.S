/* A conditional Thumb branch reaches 1 MB only: to a function further away it goes by way of a veneer. */
// arch: thumbv7
// layout: far near
// call: choose(1i32) = 100i32
// call: choose(0i32) = 8i32
// covers: R_ARM_THM_JUMP19
    .syntax unified
    .arch armv7-a
    .text
    .thumb
    .globl choose
    .type choose, %function
    .thumb_func
choose:
    cmp  r0, #0
    bne.w distant
    movs r0, #8
    bx   lr

//--- distant.S
    .syntax unified
    .arch armv7-a
    .text
    .thumb
    .globl distant
    .type distant, %function
    .thumb_func
distant:
    movs r0, #100
    bx   lr
