/* A permanently undefined instruction, two instructions into a function. */
// call: trap() = void
// fault: undefined at trap+8
    .text
    .globl trap
    .type trap, %function
#if defined(__aarch64__)
trap:
    mov  w0, #1
    mov  w1, #2
    .inst 0x00000000
    ret
#elif defined(__thumb__)
    .syntax unified
    .arch armv7-a
    .thumb
    .thumb_func
trap:
    mov.w r0, #1
    mov.w r1, #2
    udf  #0
    bx   lr
#else
    .syntax unified
    .arch armv7-a
    .arm
trap:
    mov  r0, #1
    mov  r1, #2
    udf  #0
    bx   lr
#endif
