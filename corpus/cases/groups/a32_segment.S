/* Everything that counts from the origin of the segment that a symbol is in, B(S): data, moves, groups of one to three pieces,
   and the loads behind them. r9 is that origin, as in code with a static base. */
// arch: armv7
// build: clang
// layout: near
// call: word_32() = &variable
// call: word_31() = &variable
// call: moves() = &variable
// call: move() = &near_by
// call: thumb_moves() = &variable
// call: thumb_move() = &near_by
// call: alu_1() = &near_by
// call: alu_2() = &middle
// call: alu_3() = &variable
// call: load_1() = 0x000b000bu32
// call: load_2() = 0x00160016u32
// call: load_3() = 0x00210021u32
// call: half_1() = 11u32
// call: half_2() = 22u32
// call: half_3() = 33u32
// call: real_1() = 0x000b000bu32
// call: real_2() = 0x00160016u32
// call: real_3() = 0x00210021u32
// covers: R_ARM_SBREL32 R_ARM_SBREL31 R_ARM_MOVW_BREL R_ARM_MOVW_BREL_NC R_ARM_MOVT_BREL R_ARM_THM_MOVW_BREL
// covers: R_ARM_THM_MOVW_BREL_NC R_ARM_THM_MOVT_BREL R_ARM_ALU_SB_G0 R_ARM_ALU_SB_G0_NC R_ARM_ALU_SB_G1 R_ARM_ALU_SB_G1_NC
// covers: R_ARM_ALU_SB_G2 R_ARM_LDR_SB_G0 R_ARM_LDR_SB_G1 R_ARM_LDR_SB_G2 R_ARM_LDRS_SB_G0 R_ARM_LDRS_SB_G1 R_ARM_LDRS_SB_G2
// covers: R_ARM_LDC_SB_G0 R_ARM_LDC_SB_G1 R_ARM_LDC_SB_G2
    .syntax unified
    .arch armv7-a
    .fpu vfpv3-d16
    .macro function name
    .globl \name
    .type \name, %function
\name:
    .endm
    .macro at number, symbol, instruction:vararg
    .reloc ., R_ARM_\number, \symbol
    \instruction
    .endm
    .macro enter                 // r9: the origin; the variables get their values
    push {r4, r9}
    ldr  r9, =origin
    mov  r1, #11
    orr  r1, r1, r1, lsl #16
    ldr  r2, =near_by
    str  r1, [r2]
    mov  r1, #22
    orr  r1, r1, r1, lsl #16
    ldr  r2, =middle
    str  r1, [r2]
    mov  r1, #33
    orr  r1, r1, r1, lsl #16
    ldr  r2, =variable
    str  r1, [r2]
    .endm
    .macro leave
    pop  {r4, r9}
    bx   lr
    .endm
    .text
    .arm
function word_32
    enter
    ldr  r0, =offset_32
    ldr  r0, [r0]
    add  r0, r0, r9
    leave
function word_31                 // bit 31 is not of the field, and set
    enter
    ldr  r0, =offset_31
    ldr  r0, [r0]
    bic  r0, r0, #0x80000000
    add  r0, r0, r9
    leave
function moves
    enter
    at MOVW_BREL_NC, variable, movw r0, #0
    at MOVT_BREL, variable, movt r0, #0
    add  r0, r0, r9
    leave
function move
    enter
    at MOVW_BREL, near_by, movw r0, #0
    add  r0, r0, r9
    leave
function alu_1
    enter
    at ALU_SB_G0, near_by, add r0, r9, #0
    leave
function alu_2
    enter
    at ALU_SB_G0_NC, middle, add r0, r9, #0
    at ALU_SB_G1, middle, add r0, r0, #0
    leave
function alu_3
    enter
    at ALU_SB_G0_NC, variable, add r0, r9, #0
    at ALU_SB_G1_NC, variable, add r0, r0, #0
    at ALU_SB_G2, variable, add r0, r0, #0
    leave
    .ltorg
    .macro loads name, group, instruction, register, move
function \name\()_1
    enter
    at \group\()_SB_G0, near_by, \instruction \register, [r9]
    \move
    leave
function \name\()_2
    enter
    at ALU_SB_G0_NC, middle, add r3, r9, #0
    at \group\()_SB_G1, middle, \instruction \register, [r3]
    \move
    leave
function \name\()_3
    enter
    at ALU_SB_G0_NC, variable, add r3, r9, #0
    at ALU_SB_G1_NC, variable, add r3, r3, #0
    at \group\()_SB_G2, variable, \instruction \register, [r3]
    \move
    leave
    .ltorg
    .endm
    loads load, LDR, ldr, r0
    loads half, LDRS, ldrh, r0
    loads real, LDC, vldr, s0, "vmov r0, s0"
    .thumb
    .thumb_func
function thumb_moves
    enter
    at THM_MOVW_BREL_NC, variable, movw r0, #0
    at THM_MOVT_BREL, variable, movt r0, #0
    add  r0, r0, r9
    leave
    .thumb_func
function thumb_move
    enter
    at THM_MOVW_BREL, near_by, movw r0, #0
    add  r0, r0, r9
    leave
    .ltorg
    .data
    .p2align 12
    .globl origin, near_by, middle, variable
origin:
offset_32:
    .reloc ., R_ARM_SBREL32, variable
    .word 0
offset_31:
    .reloc ., R_ARM_SBREL31, variable
    .word 0x80000000
    .space 0x10
near_by:
    .word 0
    .bss
    .p2align 12
    .space 0x1000
    .space 0x20
middle:
    .space 0x12340
variable:
    .space 4
