/* ILP32: the rest of its relocations, each read or executed: small data, signed moves, branches in data. */
// arch: aarch64_ilp32
// layout: near
// build: clang
// define: half = 0x8421
// define: small = 0xffff
// call: bits_16() = 0x8421u32
// call: bits_32() = &place
// call: bits_16_relative() = &place+4
// call: through_stub() = 77i32
// call: signed_move() = 0xffffu32
// call: distance() = &here
// covers: R_AARCH64_P32_ABS16 R_AARCH64_P32_PREL32 R_AARCH64_P32_PREL16 R_AARCH64_P32_PLT32 R_AARCH64_P32_MOVW_SABS_G0
// covers: R_AARCH64_P32_MOVW_PREL_G0
    .macro function name
    .globl \name
    .type \name, %function
\name:
    .endm
    .text
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
function through_stub
    adrp x1, branch
    add  x1, x1, :lo12:branch
    ldrsw x0, [x1]
    add  x0, x0, x1
    br   x0
function seventy_seven
    mov  w0, #77
    ret
function signed_move
    movz w0, #:abs_g0_s:small
    ret
function distance
    movz x0, #:prel_g0:here
    adr  x1, distance
    add  x0, x0, x1
    ret
    nop
function here
    ret
    .data
    .p2align 2
absolute:
    .hword half, 0
    .globl place
relative:
    .word place - .
    .hword place + 4 - .
    .hword 0
branch:
    .reloc ., R_AARCH64_P32_PLT32, seventy_seven
    .word 0
    .section .data.place, "aw"
    .p2align 2
place:
    .word 1, 2
