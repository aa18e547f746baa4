/* The distance to a GOT entry in 32 bits, which tables of C++ use for what may live elsewhere. */
// arch: aarch64 -aarch64_ilp32
// build: clang
// layout: near far
// call: address() = &place
// call: again() = &place
// covers: R_AARCH64_GOTPCREL32
    .text
    .globl address, again
    .type address, %function
    .type again, %function
address:
    adrp x1, table
    add  x1, x1, :lo12:table
    ldrsw x2, [x1]
    ldr  x0, [x1, x2]
    ret
again:
    adrp x1, table
    add  x1, x1, :lo12:table
    ldrsw x2, [x1, #4]
    ldr  x0, [x1, x2]
    ret
    .section .rodata.table, "a"
    .p2align 2
table:
    .reloc ., R_AARCH64_GOTPCREL32, place
    .word 0
    .reloc ., R_AARCH64_GOTPCREL32, place+4
    .word 0

//--- place.S
    .data
    .globl place
    .p2align 2
place:
    .word 5
