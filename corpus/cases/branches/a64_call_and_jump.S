/* BL and B between sections, forwards and backwards. */
// arch: aarch64
// call: forward(1i32) = 12i32
// call: backward(1i32) = 21i32
// covers: R_AARCH64_CALL26 R_AARCH64_JUMP26
    .section .text.one, "ax"
    .globl forward, add_one
    .type forward, %function
    .type add_one, %function
forward:
    mov  x9, x30
    bl   add_ten
    mov  x30, x9
    b    add_one
add_one:
    add  w0, w0, #1
    ret
    .section .text.two, "ax"
    .globl backward, add_ten
    .type backward, %function
    .type add_ten, %function
backward:
    mov  x9, x30
    bl   add_ten
    mov  x30, x9
    b    add_ten
add_ten:
    add  w0, w0, #10
    ret
