/* Defect 8: R_ARM_REL32 has no overflow check: differences wrap around the 32-bit space. */
// arch: armv7
// define: low = 0x1000
// define: top = 0xfffff000
// call: distance_low() = 1i32
// call: distance_top() = 1i32
// layout: near far high random:1
// covers: R_ARM_REL32
    .syntax unified
    .text
    .arm
    .globl distance_low, distance_top
    .type distance_low, %function
    .type distance_top, %function
distance_low:
    adr  r1, 1f
    ldr  r0, [r1]
    add  r0, r0, r1
    sub  r0, r0, #0x1000
    rsbs r0, r0, #1
    bx   lr
1:  .word low - .
distance_top:
    adr  r1, 1f
    ldr  r0, [r1]
    add  r0, r0, r1
    add  r0, r0, #0x1000
    rsbs r0, r0, #1
    bx   lr
1:  .word top - .
