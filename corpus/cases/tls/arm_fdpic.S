/* The function-descriptor ABI's thread-local relocations: entries by their offset from the table that r9 points at. */
// arch: armv7
// build: clang
// layout: near high
// call: general() = 0x11223344u32
// call: local() = 0x11223344u32
// call: initial() = 0x11223344u32
// covers: R_ARM_TLS_GD32_FDPIC R_ARM_TLS_LDM32_FDPIC R_ARM_TLS_IE32_FDPIC
    .syntax unified
    .arch armv7-a
    .macro function name
    .globl \name
    .type \name, %function
\name:
    push {r9, lr}
    ldr  r9, =origin
    ldr  r9, [r9]
    ldr  r0, 9f
    add  r0, r0, r9
    .endm
    .macro done
    ldr  r0, [r0]
    pop  {r9, pc}
9:
    .endm
    .text
    .arm
function general
    bl   __tls_get_addr
    done
    .reloc ., R_ARM_TLS_GD32_FDPIC, variable
    .word 0
function local
    bl   __tls_get_addr
    ldr  r1, 8f
    add  r0, r0, r1
    done
    .reloc ., R_ARM_TLS_LDM32_FDPIC, variable
    .word 0
8:  .word variable(tlsldo)
function initial
    ldr  r0, [r0]
    mrc  p15, 0, r1, c13, c0, 3
    add  r0, r0, r1
    done
    .reloc ., R_ARM_TLS_IE32_FDPIC, variable
    .word 0
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
