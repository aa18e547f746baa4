/* ARM branches reach from 32 MB back to 32 MB less one step ahead of their PC, which is 8 bytes on. */
// arch: armv7
// for: TARGET = 0x3000000 0x3000004 0x3000008
// layout: at:arm_at_the_limit.o(.text)=0x1000000,callee.o(.text)=$TARGET
// call: caller(5i32) = 16i32
// covers: R_ARM_JUMP24
    .syntax unified
    .text
    .arm
    .globl caller
    .type caller, %function
caller:
    b    callee

//--- callee.S
    .syntax unified
    .text
    .arm
    .globl callee
    .type callee, %function
callee:
    mov  r1, #3
    mul  r0, r1, r0
    add  r0, r0, #1
    bx   lr
