/* Distances of 64 and 32 bits reach across layouts that branches do not. */
// arch: aarch64 -aarch64_ilp32
// layout: near far
// call: by_64() = &target
// call: by_32() = &target
// covers: R_AARCH64_PREL64 R_AARCH64_PREL32
    .text
    .globl by_64, by_32
    .type by_64, %function
    .type by_32, %function
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
    .section .rodata.distances, "a"
    .p2align 3
a:  .xword target - .
b:  .word target - .
    .data
    .globl target
target:
    .word 1
