/* Two sections of one name, one writable and one not: the variable can be written and the constant can be read. */
// call: write() = 8i32
// memory: variable = 8i32
// memory: constant = 3i32
#if !defined(__aarch64__)
    .syntax unified
    .arm
#endif
    .section mixed, "aw", %progbits
    .globl variable
    .p2align 2
variable:
    .word 5
    .text
    .globl write
    .type write, %function
#if defined(__aarch64__)
write:
    adrp x1, constant
    ldr  w0, [x1, :lo12:constant]
    adrp x1, variable
    ldr  w2, [x1, :lo12:variable]
    add  w0, w0, w2
    str  w0, [x1, :lo12:variable]
    ret
#else
write:
    ldr  r1, =constant
    ldr  r0, [r1]
    ldr  r1, =variable
    ldr  r2, [r1]
    add  r0, r0, r2
    str  r0, [r1]
    bx   lr
    .ltorg
#endif

//--- constant.S
    .section mixed, "a", %progbits
    .globl constant
    .p2align 2
constant:
    .word 3
