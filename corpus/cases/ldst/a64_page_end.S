/* Variables near the start, in the middle and at the end of a page: the low bits up to the last multiple of the size. */
// arch: aarch64
// for: OFFSET = 16 1000 2040 4088
// call: load() = 77i64
// call: store() = &cell
// memory: cell = 78i64
// covers: R_AARCH64_LDST64_ABS_LO12_NC
    .text
    .globl load, store
    .type load, %function
    .type store, %function
load:
    adrp x1, cell
    ldr  x0, [x1, :lo12:cell]
    ret
store:
    adrp x0, cell
    mov  x1, #78
    str  x1, [x0, :lo12:cell]
    add  x0, x0, :lo12:cell
    ret
    .data
    .globl cell
    .p2align 12
    .space OFFSET
cell:
    .xword 77
