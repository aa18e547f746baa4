/* Mergeable constants of 4 and 8 bytes, some equal, referred to by section and offset: merged or not, the values are right. */
// call: sum() = 66u32
    .section .rodata.cst4, "aM", %progbits, 4
    .p2align 2
.Lone: .word 11
.Ltwo: .word 22
.Lone_again: .word 11
    .text
    .globl sum
    .type sum, %function
#if defined(__aarch64__)
sum:
    adrp x1, .Lone
    ldr  w0, [x1, :lo12:.Lone]
    adrp x1, .Ltwo
    ldr  w2, [x1, :lo12:.Ltwo]
    add  w0, w0, w2
    adrp x1, .Lone_again
    ldr  w2, [x1, :lo12:.Lone_again]
    add  w0, w0, w2
    adrp x1, .Lthree
    ldr  w2, [x1, :lo12:.Lthree]
    add  w0, w0, w2
    ret
#else
    .syntax unified
    .arm
sum:
    ldr  r1, =.Lone
    ldr  r0, [r1]
    ldr  r1, =.Ltwo
    ldr  r2, [r1]
    add  r0, r0, r2
    ldr  r1, =.Lone_again
    ldr  r2, [r1]
    add  r0, r0, r2
    ldr  r1, =.Lthree
    ldr  r2, [r1]
    add  r0, r0, r2
    bx   lr
    .ltorg
#endif
    .section .rodata.cst8, "aM", %progbits, 8
    .p2align 3
    .word 5, 6
.Lthree:
    .word 22, 0

//--- more.S
    .section .rodata.cst4, "aM", %progbits, 4
    .p2align 2
    .word 22, 11, 33
