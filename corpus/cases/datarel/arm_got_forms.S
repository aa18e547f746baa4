/* Data that leads to the GOT: the distance to an entry, the offset of an entry and of a variable from the base, the base. */
// arch: armv7 thumbv7
// call: entry_distance() = &place
// call: entry_offset() = &place
// call: variable_offset() = &place
// covers: R_ARM_GOT_PREL R_ARM_GOT_BREL R_ARM_GOTOFF32 R_ARM_BASE_PREL
    .syntax unified
    .arch armv7-a
    .text
    .arm
    .globl entry_distance, entry_offset, variable_offset
    .type entry_distance, %function
    .type entry_offset, %function
    .type variable_offset, %function
entry_distance:
    ldr  r1, =distance
    ldr  r0, [r1]
    ldr  r0, [r0, r1]
    bx   lr
entry_offset:
    ldr  r1, =base
    ldr  r0, [r1]
    add  r0, r0, r1
    ldr  r2, [r1, #4]
    ldr  r0, [r0, r2]
    bx   lr
variable_offset:
    ldr  r1, =base
    ldr  r0, [r1]
    add  r0, r0, r1
    ldr  r2, [r1, #8]
    add  r0, r0, r2
    bx   lr
    .ltorg
    .data
    .p2align 2
distance:
    .word place(GOT_PREL)
base:
    .word _GLOBAL_OFFSET_TABLE_ - .
    .word place(GOT)
    .word place(GOTOFF)
    .globl place
place:
    .word 1
