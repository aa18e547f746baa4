/* The wide conditional branch of Thumb-2, every condition of a share, to another section. */
// arch: thumbv7 thumbv7m
// layout: near
// call: choose(0i32) = 100i32
// call: choose(5i32) = 50i32
// call: choose(9i32) = 7i32
// call: choose(-3i32) = 30i32
// covers: R_ARM_THM_JUMP19
    .syntax unified
    .section .text.one, "ax"
    .thumb
    .globl choose
    .type choose, %function
    .thumb_func
choose:
    cmp  r0, #0
    beq.w hundred
    bmi.w thirty
    cmp  r0, #9
    blt.w fifty
    movs r0, #7
    bx   lr
    .section .text.two, "ax"
    .thumb
    .globl hundred, thirty, fifty
    .type hundred, %function
    .type thirty, %function
    .type fifty, %function
    .thumb_func
hundred:
    movs r0, #100
    bx   lr
    .thumb_func
thirty:
    movs r0, #30
    bx   lr
    .thumb_func
fifty:
    movs r0, #50
    bx   lr
