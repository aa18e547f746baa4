/* A table of pointers that relocation fills in and that is read-only from then on. */
// arch: -aarch64_ilp32
// call: entry() = &target
// call: bad() = void
// fault: write
#if defined(__aarch64__)
    .section .data.rel.ro, "aw"
    .p2align 3
table:
    .xword target
    .text
    .globl entry, bad
    .type entry, %function
    .type bad, %function
entry:
    adrp x0, table
    ldr  x0, [x0, :lo12:table]
    ret
bad:
    adrp x0, table
    str  xzr, [x0, :lo12:table]
    ret
#else
    .syntax unified
    .section .data.rel.ro, "aw"
    .p2align 2
table:
    .word target
    .text
    .arm
    .globl entry, bad
    .type entry, %function
    .type bad, %function
entry:
    ldr  r0, =table
    ldr  r0, [r0]
    bx   lr
bad:
    ldr  r0, =table
    str  r0, [r0]
    bx   lr
    .ltorg
#endif
    .data
    .globl target
    .p2align 2
target:
    .word 1
