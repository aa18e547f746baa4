/* Loads of every size by the low 12 bits of an address, which the instruction holds divided by the size. */
// arch: aarch64
// call(little): byte() = 0x88i64
// call(big): byte() = 0x11i64
// call(little): byte_signed() = -120i64
// call(big): byte_signed() = 0x11i64
// call(little): half() = 0x7788i64
// call(big): half() = 0x1122i64
// call(little): half_signed() = 0x7788i64
// call(big): half_signed() = 0x1122i64
// call(little): word() = 0x55667788i64
// call(big): word() = 0x11223344i64
// call(little): word_signed() = 0x55667788i64
// call(big): word_signed() = 0x11223344i64
// call: double_word() = 0x1122334455667788i64
// call(little): quad_upper() = 0x99aabbccddeeff00u64
// call(big): quad_upper() = 0x1122334455667788u64
// covers: R_AARCH64_LDST8_ABS_LO12_NC R_AARCH64_LDST16_ABS_LO12_NC R_AARCH64_LDST32_ABS_LO12_NC R_AARCH64_LDST64_ABS_LO12_NC R_AARCH64_LDST128_ABS_LO12_NC
    .text
    .macro load name, instruction, register
    .globl \name
    .type \name, %function
\name:
    adrp x1, value
    \instruction \register, [x1, :lo12:value]
    ret
    .endm
    load byte, ldrb, w0
    load byte_signed, ldrsb, x0
    load half, ldrh, w0
    load half_signed, ldrsh, x0
    load word, ldr, w0
    load word_signed, ldrsw, x0
    load double_word, ldr, x0
    .globl quad_upper
    .type quad_upper, %function
quad_upper:
    adrp x1, value
    ldr  q0, [x1, :lo12:value]
    mov  x0, v0.d[1]
    ret
    .data
    .globl value
    .p2align 4
    .xword 0, 0
value:
    .xword 0x1122334455667788, 0x99aabbccddeeff00
