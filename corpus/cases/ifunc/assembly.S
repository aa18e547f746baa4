/* An IFUNC written by hand and called by a branch and through a pointer, with an implementation in another section. */
// arch: aarch64 -aarch64_ilp32
// call: direct(4i32) = 5i32
// call: indirect(4i32) = 5i32
// covers: R_AARCH64_CALL26 R_AARCH64_ABS64
    .text
    .globl pick
    .type pick, %gnu_indirect_function
pick:
    adrp x0, body
    add  x0, x0, :lo12:body
    ret
    .globl direct
    .type direct, %function
direct:
    stp  x29, x30, [sp, #-16]!
    bl   pick
    ldp  x29, x30, [sp], #16
    ret
    .globl indirect
    .type indirect, %function
indirect:
    adrp x1, slot
    ldr  x1, [x1, :lo12:slot]
    br   x1
    .section .text.body, "ax"
    .type body, %function
body:
    add  w0, w0, #1
    ret
    .data
    .p2align 3
slot:
    .xword pick
