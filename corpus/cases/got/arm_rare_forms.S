/* Ways to the table and to branches in data that no compiler writes: absolute, and offsets of twelve bits in loads. */
// arch: armv7
// build: clang
// layout: near
// call: absolute() = &variable
// call: origin() = &variable
// call: branch() = 77i32
// call: entry() = &variable
// call: offset() = 5i32
// covers: R_ARM_GOT_ABS R_ARM_BASE_ABS R_ARM_PLT32_ABS R_ARM_GOT_BREL12 R_ARM_GOTOFF12
    .syntax unified
    .arch armv7-a
    .macro function name
    .globl \name
    .type \name, %function
\name:
    .endm
    .text
    .arm
function absolute                // the address of the entry
    ldr  r0, =words
    ldr  r0, [r0]
    ldr  r0, [r0]
    bx   lr
function origin                  // the address of the table, and an offset in it
    ldr  r1, =words
    ldr  r0, [r1, #4]
    ldr  r2, [r1, #8]
    ldr  r0, [r0, r2]
    bx   lr
function branch
    ldr  r1, =words
    ldr  r1, [r1, #12]
    bx   r1
function seventy_seven
    mov  r0, #77
    bx   lr
function entry
    ldr  r1, =words
    ldr  r1, [r1, #4]
    .reloc ., R_ARM_GOT_BREL12, variable
    ldr  r0, [r1]
    bx   lr
function offset
    ldr  r1, =words
    ldr  r1, [r1, #4]
    .reloc ., R_ARM_GOTOFF12, near_by
    ldr  r0, [r1]
    bx   lr
    .ltorg
    .data
    .p2align 2
words:
    .reloc ., R_ARM_GOT_ABS, variable
    .word 0
    .reloc ., R_ARM_BASE_ABS, _GLOBAL_OFFSET_TABLE_
    .word 0
    .word variable(GOT)
    .reloc ., R_ARM_PLT32_ABS, seventy_seven
    .word 0
    .globl variable
variable:
    .word 5
    .section .data.rel.ro, "aw"  // beside the table
    .p2align 2
near_by:
    .word 5
