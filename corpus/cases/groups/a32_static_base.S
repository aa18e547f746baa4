/* What there was before groups: |X| from the origin of the segment in three fixed pieces, the bits 27..20 and 19..12 in an ADD each
   and 11..0 in a load. r9 is that origin. */
// arch: armv7
// build: clang
// layout: near
// call: load() = 0x11223344u32
// call: load_byte() = 0x55u32
// call: store() = 0x99887766u32
// call: below() = &origin
// covers: R_ARM_LDR_SBREL_11_0_NC R_ARM_ALU_SBREL_19_12_NC R_ARM_ALU_SBREL_27_20_CK
    .syntax unified
    .arch armv7-a
    .macro function name
    .globl \name
    .type \name, %function
\name:
    .endm
    .macro at number, symbol, instruction:vararg
    .reloc ., R_ARM_\number, \symbol
    \instruction
    .endm
    .macro address symbol, addend=0     // r3: the upper bits; each instruction has the whole addend, which three bytes can say
    at ALU_SBREL_27_20_CK, \symbol, add r3, r9, #\addend
    at ALU_SBREL_19_12_NC, \symbol, add r3, r3, #\addend
    .endm
    .text
    .arm
function enter
    ldr  r9, =origin
    ldr  r2, =variable
    ldr  r1, =0x11223344
    str  r1, [r2]
    mov  r1, #0x55
    strb r1, [r2, #7]
    bx   lr
function load
    push {r9, lr}
    bl   enter
    address variable
    at LDR_SBREL_11_0_NC, variable, ldr r0, [r3]
    pop  {r9, pc}
function load_byte
    push {r9, lr}
    bl   enter
    address variable, 7
    at LDR_SBREL_11_0_NC, variable, ldrb r0, [r3, #7]
    pop  {r9, pc}
function store
    push {r9, lr}
    bl   enter
    ldr  r0, =0x99887766
    address variable
    at LDR_SBREL_11_0_NC, variable, str r0, [r3]
    ldr  r0, =variable
    ldr  r0, [r0]
    pop  {r9, pc}
function below                          // a negative sum: ADD becomes SUB
    push {r9, lr}
    bl   enter
    add  r9, r9, #0x1000
    at ALU_SBREL_19_12_NC, origin, sub r0, r9, #0x1000
    pop  {r9, pc}
    .ltorg
    .data
    .p2align 12
    .globl origin, variable
origin:
    .word 0
    .bss
    .p2align 12
    .space 0x345678
variable:
    .space 8
