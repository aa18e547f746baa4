/* A call relocation on an instruction that is no branch: the object is wrong, and the linker does not write into it. */
// arch: aarch64 -aarch64_ilp32
// layout: near
// call: f() = 1i32
// link-error: R_AARCH64_CALL26
// link-error: .text+0x4
// covers: R_AARCH64_CALL26
    .text
    .globl f, g
    .type f, %function
    .type g, %function
f:
    nop
    .reloc ., R_AARCH64_CALL26, g
    add  x0, x0, x1
    ret
    .section .text.g, "ax"
g:
    ret
