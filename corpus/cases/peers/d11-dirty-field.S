/* Defect 11: RELA relocations replace the field. Bits that stand in it before must not be mixed in. */
// arch: aarch64 -aarch64_ilp32
// layout: near
// call: call_through(5i32) = 6i32
// call: pointer() = &target
// call: load() = 12i32
// covers: R_AARCH64_CALL26 R_AARCH64_ADR_PREL_PG_HI21 R_AARCH64_ADD_ABS_LO12_NC R_AARCH64_LDST32_ABS_LO12_NC R_AARCH64_ABS64 R_AARCH64_CONDBR19
    .text
    .globl call_through, pointer, load
    .type call_through, %function
    .type pointer, %function
    .type load, %function
call_through:
    mov  x9, x30
    .reloc ., R_AARCH64_CALL26, target
    .inst 0x94000001              // bl .+4
    cmp  w0, #6
    .reloc ., R_AARCH64_CONDBR19, leave
    .inst 0x54ffffe0              // b.eq .-4
    mov  w0, #0
    ret  x9
pointer:
    adrp x1, page_of_nothing
    .reloc .-4, R_AARCH64_ADR_PREL_PG_HI21, slot
    .reloc ., R_AARCH64_ADD_ABS_LO12_NC, slot
    .inst 0x913ffc21              // add x1, x1, #0xfff
    ldr  x0, [x1]
    ret
load:
    adrp x1, word
    .reloc ., R_AARCH64_LDST32_ABS_LO12_NC, word
    .inst 0xb97ffc20              // ldr w0, [x1, #0x3ffc]
    ret
    .set page_of_nothing, pointer

    .section .text.target, "ax"
    .globl target, leave
    .type target, %function
    .type leave, %function
target:
    add  w0, w0, #1
    ret
leave:
    ret  x9
    .data
    .p2align 3
    .xword 0
slot:
    .reloc ., R_AARCH64_ABS64, target
    .xword 0x1234567812345678
word:
    .word 12
