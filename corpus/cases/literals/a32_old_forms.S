/* R_ARM_ABS12: twelve bits of an absolute address as the offset of a load, base register zero. */
// arch: armv7
// layout: near
// define: small = 0xabc
// call: offset() = 0xabcu32
// covers: R_ARM_ABS12
    .syntax unified
    .text
    .arm
    .globl offset
    .type offset, %function
offset:                          // reads back the instruction itself: its low bits are the result
    ldr  r0, 1f
#ifdef __ARM_BIG_ENDIAN          // code is little-endian all the same
    rev  r0, r0
#endif
    ubfx r0, r0, #0, #12
    bx   lr
1:  .reloc ., R_ARM_ABS12, small
    ldr  r0, [r1]
