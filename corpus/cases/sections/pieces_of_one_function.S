/* One function in three objects: the pieces of a section fall through into each other, in the order of the link, wherever it is put.
   Code of other names stands between them in every object, and the first piece calls something that may be far away. */
// arch: armv7 thumbv7 aarch64 -aarch64_ilp32
// layout: near far high random:1 random:2 random:3
// call: whole(5i32) = 5641i32
#ifdef __aarch64__
#define HEAD stp x29, x30, [sp, #-16]!
#define RETURN ret
    .macro digit n                      // the next decimal digit of the first argument
    mov  w9, #10
    mul  w0, w0, w9
    add  w0, w0, #\n
    .endm
#else
    .syntax unified
#define HEAD push {r4, lr}
#define RETURN bx lr
    .macro digit n
    mov  r2, #10
    mul  r0, r2, r0
    add  r0, r0, #\n
    .endm
#endif
#ifdef __thumb__
    .thumb
#endif
    .section .text.before, "ax", %progbits
    .globl step
    .type step, %function
#ifdef __thumb__
    .thumb_func
#endif
step:
    digit 4
    RETURN
    .section .pieces, "ax", %progbits
    .globl whole
    .type whole, %function
#ifdef __thumb__
    .thumb_func
#endif
whole:
    HEAD
    digit 6
    bl step

//--- middle.S
#ifdef __aarch64__
    .macro digit n
    mov  w9, #10
    mul  w0, w0, w9
    add  w0, w0, #\n
    .endm
#else
    .syntax unified
    .macro digit n
    mov  r2, #10
    mul  r0, r2, r0
    add  r0, r0, #\n
    .endm
#endif
#ifdef __thumb__
    .thumb
#endif
    .section .text.between, "ax", %progbits
    .globl between
between:
    .space 64
    .section .pieces, "ax", %progbits
    digit 1

//--- last.S
#ifdef __thumb__
    .thumb
#endif
    .section .pieces, "ax", %progbits
#ifdef __aarch64__
    ldp x29, x30, [sp], #16
    ret
#else
    .syntax unified
    pop {r4, pc}
#endif
