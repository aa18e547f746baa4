/* BL and B.W between sections in Thumb code, forwards and backwards. */
// arch: thumbv7 thumbv7m
// call: forward(1i32) = 12i32
// call: backward(1i32) = 21i32
// covers: R_ARM_THM_CALL R_ARM_THM_JUMP24
    .syntax unified
    .section .text.one, "ax"
    .thumb
    .globl forward, add_one
    .type forward, %function
    .type add_one, %function
    .thumb_func
forward:
    push {r4, lr}
    bl   add_ten
    pop  {r4}
    pop  {r3}
    mov  lr, r3
    b.w  add_one
    .thumb_func
add_one:
    adds r0, #1
    bx   lr
    .section .text.two, "ax"
    .thumb
    .globl backward, add_ten
    .type backward, %function
    .type add_ten, %function
    .thumb_func
backward:
    push {r4, lr}
    bl   add_ten
    pop  {r4}
    pop  {r3}
    mov  lr, r3
    b.w  add_ten
    .thumb_func
add_ten:
    adds r0, #10
    bx   lr
