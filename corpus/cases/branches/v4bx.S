/* R_ARM_V4BX marks a BX for linkers that make ARMv4 code of it; on later cores it stays as it is. */
// arch: armv7 armv6
// call: use(4i32) = 5i32
// covers: R_ARM_V4BX
    .syntax unified
    .text
    .arm
    .globl use
    .type use, %function
use:
    add  r0, r0, #1
    .reloc ., R_ARM_V4BX, 0
    bx   lr
