/* Defect 13: a symbol with a fixed value in the object itself, SHN_ABS: it is defined, and does not move. */
// call: value() = 0x12345u32
// call: stored() = 0x12345u32
// call: from_other() = 0x12345u32
#if defined(__aarch64__)
#define LOAD(r, s) ldr r, =s
#define RESULT w0
#define LEAVE ret
#else
    .syntax unified
    .arm
#define LOAD(r, s) ldr r, =s
#define RESULT r0
#define LEAVE bx lr
#endif
    .globl fixed
    .set fixed, 0x12345
    .text
    .globl value
    .type value, %function
value:
    LOAD(RESULT, fixed)
    LEAVE
    .ltorg

//--- user.S
#if !defined(__aarch64__)
    .syntax unified
    .arm
#endif
    .text
    .globl stored, from_other
    .type stored, %function
    .type from_other, %function
stored:
#if defined(__aarch64__)
    ldr  w0, 1f
    ret
#else
    ldr  r0, 1f
    bx   lr
#endif
1:  .word fixed
from_other:
#if defined(__aarch64__)
    movz w0, #:abs_g0_nc:fixed
    movk w0, #:abs_g1:fixed
    ret
#else
    ldr  r0, =fixed
    bx   lr
    .ltorg
#endif
