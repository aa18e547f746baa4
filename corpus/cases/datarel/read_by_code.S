/* Data of every width, read by the code that it is for: absolute, and relative to itself. */
// arch: armv7 aarch64 -aarch64_ilp32
// layout: near high
// define: byte = 0x85
// define: half = 0x8421
// call: bits_16() = 0x8421u32
// call: bits_32() = &place
// call(arm): bits_8() = 0x85u32
// call(aarch64): bits_16_relative() = &place+4
// covers: R_AARCH64_ABS16 R_AARCH64_PREL32 R_AARCH64_PREL16 R_ARM_ABS16 R_ARM_ABS8 R_ARM_REL32
    .macro function name
    .globl \name
    .type \name, %function
\name:
    .endm
    .text
#ifdef __aarch64__
function bits_16
    adrp x1, absolute
    add  x1, x1, :lo12:absolute
    ldrh w0, [x1]
    ret
function bits_32
    adrp x1, relative
    add  x1, x1, :lo12:relative
    ldrsw x0, [x1]
    add  x0, x0, x1
    ret
function bits_16_relative
    adrp x1, relative
    add  x1, x1, :lo12:relative
    add  x1, x1, #4
    ldrsh x0, [x1]
    add  x0, x0, x1
    ret
#else
    .syntax unified
    .arm
function bits_16
    ldr  r1, =absolute
    ldrh r0, [r1]
    bx   lr
function bits_8
    ldr  r1, =absolute
    ldrb r0, [r1, #2]
    bx   lr
function bits_32
    ldr  r1, =relative
    ldr  r0, [r1]
    add  r0, r0, r1
    bx   lr
    .ltorg
#endif
    .data
    .p2align 2
absolute:
    .hword half
#ifndef __aarch64__
    .byte byte
    .byte 0
#else
    .hword 0
#endif
    .globl place
    .p2align 2
relative:
    .word place - .
#ifdef __aarch64__
    .hword place + 4 - .
#else
    .hword 0
#endif
    .hword 0
    .section .data.place, "aw"
    .p2align 2
place:
    .word 1, 2
