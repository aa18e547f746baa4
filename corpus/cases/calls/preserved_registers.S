/* A function calls another object's and returns with registers that the caller set: what a stub may not touch. */
// arch: aarch64
// call: set() = 5i64
// register: x1 = 0x11
// register: x9 = 0x99
// register: x15 = 0xff
    .text
    .globl set
    .type set, %function
set:
    mov  x10, x30
    mov  x1, #0x11
    mov  x9, #0x99
    mov  x15, #0xff
    bl   other
    ret  x10

//--- other.S
    .text
    .globl other
    .type other, %function
other:
    mov  x0, #5
    ret
