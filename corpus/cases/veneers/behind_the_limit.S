/* The same backwards: a jump reaches 128 MB back, inclusive. */
// arch: aarch64
// for: TARGET = 0x1000004 0x1000000 0xfffffc
// layout: at:behind_the_limit.o(.text)=0x9000000,callee.o(.text)=$TARGET
// call: caller(5i32) = 16i32
// covers: R_AARCH64_JUMP26
    .text
    .globl caller
    .type caller, %function
caller:
    b    callee

//--- callee.S
    .text
    .globl callee
    .type callee, %function
callee:
    mov  w1, #3
    mul  w0, w0, w1
    add  w0, w0, #1
    ret
