/* ILP32: addresses and offsets of 32 bits in moves, absolute data of 32 and 16 bits. */
// arch: aarch64_ilp32
// layout: near high
// build: gcc
// define: half = 0xffff
// define: most = 0xffffffff
// call: absolute() = &place
// call: small() = 0xffffu32
// call: offset() = 1i32
// memory: words = &place &place+5 -1i32
// memory: halves = ff ff
// covers: R_AARCH64_P32_MOVW_UABS_G0 R_AARCH64_P32_MOVW_UABS_G0_NC R_AARCH64_P32_MOVW_UABS_G1
// covers: R_AARCH64_P32_MOVW_PREL_G0_NC R_AARCH64_P32_MOVW_PREL_G1 R_AARCH64_P32_ABS32 R_AARCH64_P32_ABS16
    .text
    .globl absolute, small, offset
    .type absolute, %function
    .type small, %function
    .type offset, %function
absolute:
    movz w0, #:abs_g1:place
    movk w0, #:abs_g0_nc:place
    ret
small:
    movz w0, #:abs_g0:half
    ret
offset:                          // of the place from the instruction, by moves and by its own address
    movz x0, #:prel_g1:place
1:  movk x0, #:prel_g0_nc:place+4
    adr  x1, 1b
    sub  x1, x1, #4
    add  x0, x0, x1
    adrp x2, place
    add  x2, x2, :lo12:place
    cmp  w0, w2
    cset w0, eq
    adrp x3, words
    adrp x3, halves
    ret
    .data
    .globl place, words, halves
    .p2align 3
place:
    .space 8
words:
    .word place, place+5, most
halves:
    .hword half
