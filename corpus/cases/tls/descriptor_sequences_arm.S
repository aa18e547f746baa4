/* Descriptors on ARM without a trampoline: the sequence is inline, and its instructions are marked for those who relax it. */
// arch: armv7
// build: clang
// layout: near high
// call: by_arm() = 0x11223344u32
// call: by_thumb() = 0x11223344u32
// covers: R_ARM_TLS_GOTDESC R_ARM_TLS_DESCSEQ R_ARM_THM_TLS_DESCSEQ16
    .syntax unified
    .arch armv7-a
    .text
    .arm
    .globl by_arm, by_thumb
    .type by_arm, %function
    .type by_thumb, %function
by_arm:
    push {r4, lr}
    ldr  r0, 2f
1:  .reloc ., R_ARM_TLS_DESCSEQ, variable
    add  r0, pc, r0
    .reloc ., R_ARM_TLS_DESCSEQ, variable
    ldr  r1, [r0, #4]
    .reloc ., R_ARM_TLS_DESCSEQ, variable
    blx  r1
    mrc  p15, 0, r1, c13, c0, 3
    ldr  r0, [r0, r1]
    pop  {r4, pc}
2:  .reloc ., R_ARM_TLS_GOTDESC, variable
    .word 2b - 1b
    .thumb
    .thumb_func
by_thumb:
    push {r4, lr}
    ldr  r0, 2f
1:  .reloc ., R_ARM_THM_TLS_DESCSEQ16, variable
    add  r0, pc
    .reloc ., R_ARM_THM_TLS_DESCSEQ16, variable
    ldr  r1, [r0, #4]
    .reloc ., R_ARM_THM_TLS_DESCSEQ16, variable
    blx  r1
    mrc  p15, 0, r1, c13, c0, 3
    ldr  r0, [r0, r1]
    pop  {r4, pc}
    .p2align 2
2:  .reloc ., R_ARM_TLS_GOTDESC, variable
    .word 2b - 1b + 1
    .section .tdata, "awT", %progbits
    .p2align 2
    .space 16
    .globl variable
    .type variable, %object
variable:
    .word 0x11223344
