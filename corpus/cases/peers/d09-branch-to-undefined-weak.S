/* Defect 9: a branch to an undefined weak function falls through to the next instruction. */
// call: call_nothing(7i32) = 8i32
// call: jump_nowhere(7i32) = 9i32
    .text
    .weak nothing
    .globl call_nothing, jump_nowhere
    .type call_nothing, %function
    .type jump_nowhere, %function
#if defined(__aarch64__)
call_nothing:
    mov  x9, x30
    bl   nothing
    add  w0, w0, #1
    ret  x9
jump_nowhere:
    b    nothing
    add  w0, w0, #2
    ret
#else
    .syntax unified
    .arch armv7-a
#if defined(__thumb__)
    .thumb
#define FUNCTION .thumb_func
#define JUMP b.w
#else
    .arm
#define FUNCTION
#define JUMP b
#endif
    FUNCTION
call_nothing:
    push {r4, lr}
    bl   nothing
    adds r0, r0, #1
    pop  {r4, pc}
    FUNCTION
jump_nowhere:
    JUMP nothing
    adds r0, r0, #2
    bx   lr
#endif
