/* The three ways to a GOT entry on ARM: relative to the place, relative to the base of the table, and absolute. */
// arch: armv7
// call: by_place() = &value
// call: by_base() = &value
// call: by_offset() = &value
// covers: R_ARM_GOT_PREL R_ARM_GOT_BREL R_ARM_BASE_PREL R_ARM_GOTOFF32
    .syntax unified
    .text
    .arm
    .globl by_place, by_base, by_offset
    .type by_place, %function
    .type by_base, %function
    .type by_offset, %function
by_place:
    ldr  r0, 2f
1:  ldr  r0, [pc, r0]
    bx   lr
2:  .word value(GOT_PREL) + (. - 1b - 8)

by_base:
    ldr  r1, 2f
    ldr  r0, 3f
1:  add  r1, pc, r1
    ldr  r0, [r1, r0]
    bx   lr
2:  .word _GLOBAL_OFFSET_TABLE_ - (1b + 8)
3:  .word value(GOT)

by_offset:
    ldr  r1, 2f
    ldr  r0, 3f
1:  add  r1, pc, r1
    add  r0, r1, r0
    bx   lr
2:  .word _GLOBAL_OFFSET_TABLE_ - (1b + 8)
3:  .word value(GOTOFF)

    .data
    .globl value
value:
    .word 5
