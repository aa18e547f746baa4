/* Two calls of one function, one of them past its first instruction: beyond reach, each has a stub of its own. */
// arch: aarch64
// layout: near far high
// call: from_start() = 3i32
// call: from_second() = 2i32
// covers: R_AARCH64_CALL26
    .text
    .globl from_start, from_second
    .type from_start, %function
    .type from_second, %function
from_start:
    stp  x29, x30, [sp, #-16]!
    mov  w0, #0
    bl   callee
    ldp  x29, x30, [sp], #16
    ret
from_second:
    stp  x29, x30, [sp, #-16]!
    mov  w0, #0
    bl   callee + 4
    ldp  x29, x30, [sp], #16
    ret
    .section .text.callee, "ax"
    .globl callee
    .type callee, %function
callee:
    add  w0, w0, #1
    add  w0, w0, #2
    ret
