/* Two objects bring the same COMDAT group: the first stays whole, the second goes whole. */
// call: read() = 1i32
// call: from_second() = 1i32
#if defined(__aarch64__)
#define POINTER .xword
#else
#define POINTER .word
    .syntax unified
    .arm
#endif
    .section .data.shared, "awG", %progbits, shared, comdat
    .weak shared
    .type shared, %object
shared:
    .word 1
    .size shared, 4
    .text
    .globl read
    .type read, %function
    .p2align 2
read:
#if defined(__aarch64__)
    adrp x0, shared
    ldr  w0, [x0, :lo12:shared]
    ret
#else
    ldr  r0, 1f
    ldr  r0, [r0]
    bx   lr
1:  .word shared
#endif

//--- second.S
#if !defined(__aarch64__)
    .syntax unified
    .arm
#endif
    .section .data.shared, "awG", %progbits, shared, comdat
    .weak shared
    .type shared, %object
    .p2align 2
shared:
    .word 2
    .size shared, 4
    .text
    .globl from_second
    .type from_second, %function
    .p2align 2
from_second:
#if defined(__aarch64__)
    adrp x0, shared
    ldr  w0, [x0, :lo12:shared]
    ret
#else
    ldr  r0, 1f
    ldr  r0, [r0]
    bx   lr
1:  .word shared
#endif
