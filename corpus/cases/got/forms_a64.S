/* What no compiler writes: entries by their offset from the origin of the table, in moves and in a load; the distance of a
   variable from the origin, in data. */
// arch: aarch64 -aarch64_ilp32
// build: clang
// layout: near high
// call: moves_3() = &variable
// call: moves_2() = &variable
// call: moves_1() = &variable
// call: moves_0() = &variable
// call: load() = &variable
// call: distance_64() = &variable
// call: distance_32() = &variable
// covers: R_AARCH64_MOVW_GOTOFF_G0 R_AARCH64_MOVW_GOTOFF_G0_NC R_AARCH64_MOVW_GOTOFF_G1 R_AARCH64_MOVW_GOTOFF_G1_NC
// covers: R_AARCH64_MOVW_GOTOFF_G2 R_AARCH64_MOVW_GOTOFF_G2_NC R_AARCH64_MOVW_GOTOFF_G3 R_AARCH64_GOTREL64 R_AARCH64_GOTREL32
// covers: R_AARCH64_LD64_GOTOFF_LO15
    .macro function name
    .globl \name
    .type \name, %function
\name:
    adrp x8, _GLOBAL_OFFSET_TABLE_
    add  x8, x8, :lo12:_GLOBAL_OFFSET_TABLE_
    .endm
    .macro piece number, instruction:vararg
    .reloc ., R_AARCH64_MOVW_GOTOFF_\number, variable
    \instruction
    .endm
    .text
function moves_3
    piece G3, movz x0, #0, lsl #48
    piece G2_NC, movk x0, #0, lsl #32
    piece G1_NC, movk x0, #0, lsl #16
    piece G0_NC, movk x0, #0
    ldr  x0, [x8, x0]
    ret
function moves_2
    piece G2, movz x0, #0, lsl #32
    piece G1_NC, movk x0, #0, lsl #16
    piece G0_NC, movk x0, #0
    ldr  x0, [x8, x0]
    ret
function moves_1
    piece G1, movz x0, #0, lsl #16
    piece G0_NC, movk x0, #0
    ldr  x0, [x8, x0]
    ret
function moves_0
    piece G0, movz x0, #0
    ldr  x0, [x8, x0]
    ret
function load
    .reloc ., R_AARCH64_LD64_GOTOFF_LO15, variable
    ldr  x0, [x8]
    ret
function distance_64
    adrp x1, distances
    ldr  x0, [x1, :lo12:distances]
    add  x0, x0, x8
    ret
function distance_32
    adrp x1, distances+8
    ldrsw x0, [x1, :lo12:distances+8]
    add  x0, x0, x8
    ret
    .data
    .p2align 3
distances:
    .reloc ., R_AARCH64_GOTREL64, variable
    .xword 0
    .reloc ., R_AARCH64_GOTREL32, variable
    .word 0
    .word 0
    .globl variable
variable:
    .xword 5
