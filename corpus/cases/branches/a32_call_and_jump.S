/* BL, B and conditional branches between sections in ARM code, forwards and backwards. */
// arch: armv7 armv6
// call: forward(1i32) = 12i32
// call: conditional(0i32) = 10i32
// call: conditional(5i32) = 6i32
// covers: R_ARM_CALL R_ARM_JUMP24
    .syntax unified
    .section .text.one, "ax"
    .arm
    .globl forward, add_one
    .type forward, %function
    .type add_one, %function
forward:
    push {r4, lr}
    bl   add_ten
    pop  {r4, lr}
    b    add_one
add_one:
    add  r0, r0, #1
    bx   lr
    .section .text.two, "ax"
    .arm
    .globl conditional, add_ten
    .type conditional, %function
    .type add_ten, %function
conditional:
    cmp  r0, #0
    bne  add_one
    b    add_ten
add_ten:
    add  r0, r0, #10
    bx   lr
