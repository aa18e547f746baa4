/* Defect 2: a word that holds the address of a Thumb function of the same object has its lowest bit set, for local and for
   global functions; without it an indirect call arrives in the wrong state. */
// arch: armv7 thumbv7
// call: call_both() = 30i32
// call: low_bits() = 3i32
// covers: R_ARM_ABS32
    .syntax unified
    .arch armv7-a
    .text
    .arm
    .globl call_both, low_bits
    .type call_both, %function
    .type low_bits, %function
call_both:
    push {r4, r5, r6, lr}
    ldr  r4, =table
    ldr  r5, [r4]
    blx  r5
    mov  r6, r0
    ldr  r5, [r4, #4]
    blx  r5
    add  r0, r0, r6
    pop  {r4, r5, r6, pc}
low_bits:
    ldr  r1, =table
    ldr  r0, [r1]
    and  r0, r0, #1
    ldr  r1, [r1, #4]
    and  r1, r1, #1
    add  r0, r0, r1, lsl #1
    bx   lr
    .ltorg
    .thumb
    .globl global_ten
    .type global_ten, %function
    .type local_twenty, %function
    .thumb_func
global_ten:
    movs r0, #10
    bx   lr
    .thumb_func
local_twenty:
    movs r0, #20
    bx   lr
    .data
    .p2align 2
table:
    .word global_ten
    .word local_twenty
