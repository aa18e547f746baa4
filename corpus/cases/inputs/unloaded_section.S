/* A section that is not loaded has addresses all the same, from 0 on, one object's piece behind the other's: loggers
   number their messages so. */
// call: own() = 3u32
// call: other() = 11u32
// call: by_section() = 2u32
#include "load.h"
    .section .messages, "", %progbits
    .byte 1, 2, 3
    .globl own_message
own_message:
    .byte 4
    .text
    .globl own, other, by_section
    .type own, %function
    .type other, %function
    .type by_section, %function
own:
    LOAD(own_message)
other:
    LOAD(other_message)
by_section:
    LOAD(.messages + 2)

//--- second.S
    .section .messages, "", %progbits
    .balign 8
    .byte 1, 2, 3
    .globl other_message
other_message:
    .byte 4

//--- load.h
#if defined(__aarch64__)
#define LOAD(s) ldr w0, 9f; ret; 9: .word s
#else
    .syntax unified
    .arm
#define LOAD(s) ldr r0, 9f; bx lr; 9: .word s
#endif
