/* A far call by way of a veneer: of all registers only r12 may change on the way. */
// arch: armv7 thumbv7
// layout: far
// call: set() = 5i32
// register: r1 = 0x11
// register: r2 = 0x22
// register: r3 = 0x33
    .syntax unified
    .arch armv7-a
    .text
#if defined(__thumb__)
    .thumb
#define FUNCTION .thumb_func
#else
    .arm
#define FUNCTION
#endif
    .globl set
    .type set, %function
    FUNCTION
set:
    push {r4, lr}
    mov  r1, #0x11
    mov  r2, #0x22
    mov  r3, #0x33
    bl   other
    pop  {r4, pc}

//--- other.S
    .syntax unified
    .arch armv7-a
    .text
#if defined(__thumb__)
    .thumb
#define FUNCTION .thumb_func
#else
    .arm
#define FUNCTION
#endif
    .globl other
    .type other, %function
    FUNCTION
other:
    mov  r0, #5
    bx   lr
