/* A breakpoint instruction in a function reached by a relocated call. */
// call: outer() = void
// fault: breakpoint at inner+4
    .text
    .globl outer
    .type outer, %function
#if defined(__aarch64__)
outer:
    stp  x29, x30, [sp, #-16]!
    bl   inner
    ldp  x29, x30, [sp], #16
    ret
#else
    .syntax unified
    .arch armv7-a
#if defined(__thumb__)
    .thumb
    .thumb_func
#else
    .arm
#endif
outer:
    push {r4, lr}
    bl   inner
    pop  {r4, pc}
#endif

//--- inner.S
    .text
    .globl inner
    .type inner, %function
#if defined(__aarch64__)
inner:
    mov  w0, #1
    brk  #1
    ret
#else
    .syntax unified
    .arch armv7-a
#if defined(__thumb__)
    .thumb
    .thumb_func
inner:
    mov.w r0, #1
#else
    .arm
inner:
    mov  r0, #1
#endif
    bkpt #1
    bx   lr
#endif
