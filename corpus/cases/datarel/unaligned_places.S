/* Data relocations at odd addresses. */
// arch: -aarch64_ilp32
// call: number() = 7i32
// memory: record = 01
// memory: record+1 = &place+3
    .text
    .globl number
    .type number, %function
number:
#if defined(__aarch64__)
    adrp x0, record
    mov  w0, #7
    ret
    .data
    .globl record, place
    .p2align 3
record:
    .byte 1
    .xword place+3
#else
    .syntax unified
    .arm
    ldr  r0, =record
    mov  r0, #7
    bx   lr
    .ltorg
    .data
    .globl record, place
    .p2align 2
record:
    .byte 1
    .4byte place+3
#endif
place:
    .space 8
