/* LDR from a literal in another section, above and below the code, by a PC that is 8 bytes ahead. */
// arch: armv7
// layout: near
// call: above() = 0x11223344u32
// call(little): byte() = 0x44i32
// call(big): byte() = 0x11i32
// covers: R_ARM_LDR_PC_G0
    .syntax unified
    .section .text.a, "ax"
    .arm
    .globl above, byte
    .type above, %function
    .type byte, %function
above:
    .reloc ., R_ARM_LDR_PC_G0, literal
    ldr  r0, [pc, #-8]
    bx   lr
byte:
    .reloc ., R_ARM_LDR_PC_G0, literal
    ldrb r0, [pc, #-8]
    bx   lr
    .globl literal
    .p2align 2
literal:
    .word 0x11223344
