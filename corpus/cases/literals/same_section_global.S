/* Literals of the same section under global names: most assemblers resolve them, some leave a relocation; the value is the same. */
// arch: aarch64 thumbv7 armv7
// layout: near
// call: load() = 77i32
    .text
    .globl load, literal
    .type load, %function
#if defined(__aarch64__)
load:
    ldr  w0, literal
    ret
    nop
#elif defined(__thumb__)
    .syntax unified
    .arch armv7-a
    .thumb
    .p2align 2
    .thumb_func
load:
    ldr.w r0, literal
    bx   lr
    nop
#else
    .syntax unified
    .arm
load:
    ldr  r0, literal
    bx   lr
#endif
    .p2align 2
literal:
    .word 77
