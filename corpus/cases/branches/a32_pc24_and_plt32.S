/* The deprecated relocations of branches, PC24 and PLT32, as old objects carry them. */
// arch: armv7
// call: old_call(4i32) = 41i32
// call: old_plt_call(4i32) = 41i32
// call: old_jump(4i32) = 41i32
// covers: R_ARM_PC24 R_ARM_PLT32
    .syntax unified
    .text
    .arm
    .globl old_call, old_plt_call, old_jump
    .type old_call, %function
    .type old_plt_call, %function
    .type old_jump, %function
old_call:
    push {r4, lr}
    .reloc ., R_ARM_PC24, callee
    .inst 0xebfffffe              // bl, with the addend -8
    pop  {r4, pc}
old_plt_call:
    push {r4, lr}
    .reloc ., R_ARM_PLT32, callee
    .inst 0xebfffffe
    pop  {r4, pc}
old_jump:
    .reloc ., R_ARM_PC24, callee
    .inst 0xeafffffe              // b

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
