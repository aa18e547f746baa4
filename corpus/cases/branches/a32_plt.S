/* The older way to ask for a call through a table entry, `(PLT)`: today it is an ordinary call. */
// arch: armv7
// call: use(4i32) = 41i32
    .syntax unified
    .text
    .arm
    .globl use
    .type use, %function
use:
    push {r4, lr}
    bl   callee(PLT)
    pop  {r4, pc}

//--- callee.S
    .syntax unified
    .text
    .arm
    .globl callee
    .type callee, %function
callee:
    mov  r1, #10
    mul  r0, r1, r0
    add  r0, r0, #1
    bx   lr
