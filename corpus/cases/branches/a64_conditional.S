/* Conditional branches to another section: B.cond, CBZ and CBNZ, in both directions. */
// arch: aarch64
// layout: near
// call: by_condition(5i32) = 100i32
// call: by_condition(4i32) = 7i32
// call: by_zero(0i32) = 100i32
// call: by_zero(4i32) = 7i32
// call: by_nonzero(0i64) = 7i32
// call: by_nonzero(0x100000000i64) = 100i32
// covers: R_AARCH64_CONDBR19
    .section .text.one, "ax"
    .globl by_condition, by_zero
    .type by_condition, %function
    .type by_zero, %function
by_condition:
    cmp  w0, #5
    b.eq hundred
    mov  w0, #7
    ret
by_zero:
    cbz  w0, hundred
    mov  w0, #7
    ret
    .section .text.two, "ax"
    .globl hundred, by_nonzero
    .type hundred, %function
    .type by_nonzero, %function
hundred:
    mov  w0, #100
    ret
    .section .text.three, "ax"
by_nonzero:
    cbnz x0, hundred
    mov  w0, #7
    ret
