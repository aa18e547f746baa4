/* A BL whose target lies one step before the last address it reaches, at that address, and one step beyond: the first two
   need no veneer, the third does. */
// arch: aarch64
// for: TARGET = 0x8fffffc 0x9000000 0x9000004
// layout: at:at_the_limit.o(.text)=0x1000000,callee.o(.text)=$TARGET
// call: caller(5i32) = 16i32
// covers: R_AARCH64_CALL26
    .text
    .globl caller
    .type caller, %function
caller:
    mov  x9, x30
    bl   callee
    ret  x9

//--- callee.S
    .text
    .globl callee
    .type callee, %function
callee:
    mov  w1, #3
    mul  w0, w0, w1
    add  w0, w0, #1
    ret
