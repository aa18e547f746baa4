/* A branch past the start of a function: the addend counts. */
// arch: aarch64
// layout: near
// call: skip_one() = 6i32
// call: skip_two() = 4i32
// covers: R_AARCH64_CALL26 R_AARCH64_JUMP26
    .text
    .globl skip_one, skip_two
    .type skip_one, %function
    .type skip_two, %function
skip_one:
    mov  x9, x30
    mov  w0, #0
    bl   steps+4
    ret  x9
skip_two:
    mov  x9, x30
    mov  w0, #0
    bl   over
    ret  x9
over:
    b    steps+8
    .section .text.steps, "ax"
    .globl steps
    .type steps, %function
steps:
    add  w0, w0, #1
    add  w0, w0, #2
    add  w0, w0, #4
    ret
