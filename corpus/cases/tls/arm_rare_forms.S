/* Thread-local offsets of twelve bits in loads, which no compiler writes: in the block, from the thread pointer, and of the
   entry of a table. */
// arch: armv7
// build: clang
// layout: near
// call: in_block() = 0x11223344u32
// call: from_pointer() = 0x11223344u32
// call: through_entry() = 0x11223344u32
// call: general() = 0x11223344u32
// call: offset_in_block() = 0x11223344u32
// covers: R_ARM_TLS_GD32 R_ARM_TLS_LDM32 R_ARM_TLS_LDO32 R_ARM_TLS_LDO12 R_ARM_TLS_LE12 R_ARM_TLS_IE12GP
    .syntax unified
    .arch armv7-a
    .macro function name
    .globl \name
    .type \name, %function
\name:
    .endm
    .text
    .arm
function in_block
    push {r4, lr}
    ldr  r0, 2f
1:  add  r0, pc, r0
    bl   __tls_get_addr
    .reloc ., R_ARM_TLS_LDO12, variable
    ldr  r0, [r0]
    pop  {r4, pc}
2:  .word variable(TLSLDM) + (. - 1b - 8)
function general
    push {r4, lr}
    ldr  r0, 2f
1:  add  r0, pc, r0
    bl   __tls_get_addr
    ldr  r0, [r0]
    pop  {r4, pc}
2:  .word variable(TLSGD) + (. - 1b - 8)
function offset_in_block
    push {r4, lr}
    ldr  r0, 2f
1:  add  r0, pc, r0
    bl   __tls_get_addr
    ldr  r1, 3f
    ldr  r0, [r0, r1]
    pop  {r4, pc}
2:  .word variable(TLSLDM) + (. - 1b - 8)
3:  .word variable(TLSLDO)
function from_pointer
    mrc  p15, 0, r0, c13, c0, 3
    .reloc ., R_ARM_TLS_LE12, variable
    ldr  r0, [r0]
    bx   lr
function through_entry
    ldr  r1, =origin
    ldr  r1, [r1]
    .reloc ., R_ARM_TLS_IE12GP, variable
    ldr  r0, [r1]
    mrc  p15, 0, r1, c13, c0, 3
    ldr  r0, [r0, r1]
    bx   lr
    .ltorg
    .data
    .p2align 2
origin:
    .reloc ., R_ARM_BASE_ABS, _GLOBAL_OFFSET_TABLE_
    .word 0
    .section .tdata, "awT", %progbits
    .p2align 2
    .space 16
    .globl variable
    .type variable, %object
variable:
    .word 0x11223344
