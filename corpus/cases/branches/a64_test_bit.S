/* Test-and-branch on bits of the lower and the upper half: the bit number surrounds the field of the offset. */
// arch: aarch64
// layout: near
// for: BIT = 0 5 31 32 63
// call: test(-1i64) = 100i32
// call: test(0i64) = 7i32
// call: test_not(0i64) = 100i32
// call: test_not(-1i64) = 7i32
// covers: R_AARCH64_TSTBR14
    .text
    .globl test, test_not
    .type test, %function
    .type test_not, %function
test:
    tbnz x0, #BIT, hundred
    mov  w0, #7
    ret
test_not:
    tbz  x0, #BIT, hundred
    mov  w0, #7
    ret
    .section .text.two, "ax"
    .globl hundred
    .type hundred, %function
hundred:
    mov  w0, #100
    ret
