/* A Thumb-2 branch reaches 16 MB less one step ahead of its PC, which is 4 bytes on; the target is 2 bytes into its section. */
// arch: thumbv7
// for: TARGET = 0x1fffffc 0x2000000 0x2000004
// layout: at:thumb_at_the_limit.o(.text)=0x1000000,callee.o(.text)=$TARGET
// call: caller(5i32) = 16i32
// covers: R_ARM_THM_JUMP24
    .syntax unified
    .arch armv7-a
    .text
    .thumb
    .globl caller
    .type caller, %function
    .thumb_func
caller:
    b.w  callee

//--- callee.S
    .syntax unified
    .arch armv7-a
    .text
    .thumb
    nop
    .globl callee
    .type callee, %function
    .thumb_func
callee:
    movs r1, #3
    muls r0, r1, r0
    adds r0, #1
    bx   lr
