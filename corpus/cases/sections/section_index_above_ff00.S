/* More than 65280 sections: the indexes of the last ones do not fit the symbol table, SHN_XINDEX takes over. */
// arch: aarch64 armv7 -armebv7 -aarch64_be -aarch64_ilp32
// build: gcc | clang
// layout: near
// call: last() = 77i32
// call: data_address() = &late_data
    .macro empty
    .section s\@, "a"
    .endm
    .rept 65290
    empty
    .endr
    .section .data.late, "aw"
    .globl late_data
    .p2align 3
late_data:
    .word 77
    .section .text.late, "ax"
    .globl last, data_address
    .type last, %function
    .type data_address, %function
#if defined(__aarch64__)
last:
    adrp x0, late_data
    ldr  w0, [x0, :lo12:late_data]
    ret
data_address:
    adrp x0, late_data
    add  x0, x0, :lo12:late_data
    ret
#else
    .syntax unified
    .arm
last:
    ldr  r0, =late_data
    ldr  r0, [r0]
    bx   lr
data_address:
    ldr  r0, =late_data
    bx   lr
    .ltorg
#endif
