/* Two objects give a name the same number: that is one definition, not two. */
// call: value() = 0x1234u32
#include "return.h"
    .globl size, value
    .set size, 0x1234
    .text
    .type value, %function
value:
    LOAD(size)

//--- again.S
    .globl size
    .set size, 0x1234

//--- return.h
#if defined(__aarch64__)
#define LOAD(s) ldr w0, =s; ret; .ltorg
#else
    .syntax unified
    .arm
#define LOAD(s) ldr r0, =s; bx lr; .ltorg
#endif
