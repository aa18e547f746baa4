/* Distances of 64, 32 and 16 bits, forwards and backwards, from the place they stand in. */
// arch: aarch64 -aarch64_ilp32
// layout: near
// call: by_64() = &target
// call: by_32() = &target
// call: by_16() = &target
// call: back_by_32() = &by_64
// covers: R_AARCH64_PREL64 R_AARCH64_PREL32 R_AARCH64_PREL16
    .text
    .globl by_64, by_32, by_16, back_by_32
    .type by_64, %function
    .type by_32, %function
    .type by_16, %function
    .type back_by_32, %function
by_64:
    adrp x1, a
    add  x1, x1, :lo12:a
    ldr  x0, [x1]
    add  x0, x0, x1
    ret
by_32:
    adrp x1, b
    add  x1, x1, :lo12:b
    ldrsw x0, [x1]
    add  x0, x0, x1
    ret
by_16:
    adrp x1, c
    add  x1, x1, :lo12:c
    ldrsh x0, [x1]
    add  x0, x0, x1
    ret
back_by_32:
    adrp x1, d
    add  x1, x1, :lo12:d
    ldrsw x0, [x1]
    add  x0, x0, x1
    ret
    .section .rodata.distances, "a"
    .p2align 3
a:  .xword target - .
b:  .word target - .
d:  .word by_64 - .
    .data
    .p2align 2
c:  .hword target - .
    .section .data.target, "aw"
    .globl target
target:
    .word 1
