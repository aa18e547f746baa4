/* A branch to an address that is not a multiple of 4: to a symbol in the middle of an instruction. */
// arch: aarch64 -aarch64_ilp32
// layout: near
// call: jump() = 1i64
// link-error: R_AARCH64_JUMP26
// link-error: misaligned
// link-error: middle
// covers: R_AARCH64_JUMP26
    .text
    .globl jump
    .type jump, %function
jump:
    b    middle
    .section .text.other, "ax"
    .globl middle
    nop
    .set middle, . - 2
    ret
