/* What assemblers can write and compilers seldom do: offsets in moves, loads and stores of every size, checked and not. */
// arch: aarch64 -aarch64_ilp32
// call: le_g1_g0() = 0x1122334455667788u64
// call: le_g0() = 0x1122334455667788u64
// call: le_g2() = 0x1122334455667788u64
// call: le_lo12() = 0x1122334455667788u64
// call(little): le_8() = 0x88u32
// call(big): le_8() = 0x11u32
// call(little): le_16() = 0x7788u32
// call(big): le_16() = 0x1122u32
// call(little): le_32() = 0x55667788u32
// call(big): le_32() = 0x11223344u32
// call: le_64() = 0x1122334455667788u64
// call(little): le_128() = 0x1122334455667788u64
// call(big): le_128() = 0x99u64
// call: ld_moves() = 0x1122334455667788u64
// call(little): ld_8() = 0x88u32
// call(big): ld_8() = 0x11u32
// call(little): ld_16() = 0x7788u32
// call(big): ld_16() = 0x1122u32
// call(little): ld_32() = 0x55667788u32
// call(big): ld_32() = 0x11223344u32
// call: ld_64() = 0x1122334455667788u64
// call: ie_literal() = 0x1122334455667788u64
// call: ie_moves() = 0x1122334455667788u64
// call: ie_two_registers() = 0x1122334455667788u64
// call: descriptor_tiny() = 0x1122334455667788u64
// call: descriptor_large() = 0x1122334455667788u64
// call: gd_tiny() = 0x1122334455667788u64
// call: gd_large() = 0x1122334455667788u64
// build: gcc
// layout: near
// covers: R_AARCH64_TLSLE_MOVW_TPREL_G2 R_AARCH64_TLSLE_MOVW_TPREL_G1 R_AARCH64_TLSLE_MOVW_TPREL_G1_NC R_AARCH64_TLSLE_MOVW_TPREL_G0
// covers: R_AARCH64_TLSLE_MOVW_TPREL_G0_NC R_AARCH64_TLSLE_ADD_TPREL_LO12 R_AARCH64_TLSLE_LDST8_TPREL_LO12
// covers: R_AARCH64_TLSLE_LDST8_TPREL_LO12_NC R_AARCH64_TLSLE_LDST16_TPREL_LO12 R_AARCH64_TLSLE_LDST16_TPREL_LO12_NC
// covers: R_AARCH64_TLSLE_LDST32_TPREL_LO12 R_AARCH64_TLSLE_LDST32_TPREL_LO12_NC R_AARCH64_TLSLE_LDST64_TPREL_LO12
// covers: R_AARCH64_TLSLE_LDST64_TPREL_LO12_NC R_AARCH64_TLSLD_MOVW_DTPREL_G1 R_AARCH64_TLSLD_MOVW_DTPREL_G0_NC
// covers: R_AARCH64_TLSLD_LDST8_DTPREL_LO12_NC R_AARCH64_TLSLD_LDST16_DTPREL_LO12_NC R_AARCH64_TLSLD_LDST32_DTPREL_LO12_NC
// covers: R_AARCH64_TLSLD_LDST64_DTPREL_LO12_NC R_AARCH64_TLSIE_LD_GOTTPREL_PREL19 R_AARCH64_TLSIE_MOVW_GOTTPREL_G1
// covers: R_AARCH64_TLSIE_MOVW_GOTTPREL_G0_NC R_AARCH64_TLSDESC_LD_PREL19 R_AARCH64_TLSDESC_ADR_PREL21 R_AARCH64_TLSDESC_OFF_G1
// covers: R_AARCH64_TLSDESC_OFF_G0_NC R_AARCH64_TLSDESC_LDR R_AARCH64_TLSDESC_ADD R_AARCH64_TLSGD_ADR_PREL21
// covers: R_AARCH64_TLSGD_MOVW_G1 R_AARCH64_TLSGD_MOVW_G0_NC R_AARCH64_TLSLD_ADR_PREL21
    .text
    .macro function name
    .globl \name
    .type \name, %function
\name:
    mrs  x8, tpidr_el0
    .endm

function le_g1_g0
    movz x0, #:tprel_g1:value
    movk x0, #:tprel_g0_nc:value
    ldr  x0, [x8, x0]
    ret
function le_g0
    movz x0, #:tprel_g0:value
    ldr  x0, [x8, x0]
    ret
function le_g2
    movz x0, #:tprel_g2:value
    movk x0, #:tprel_g1_nc:value
    movk x0, #:tprel_g0_nc:value
    ldr  x0, [x8, x0]
    ret
function le_lo12
    add  x0, x8, #:tprel_lo12:value
    ldr  x0, [x0]
    ret
function le_8
    add  x9, x8, #:tprel_hi12:value
    ldrb w0, [x9, #:tprel_lo12_nc:value]
    ldrb w1, [x8, #:tprel_lo12:value]
    b    compare
function le_16
    add  x9, x8, #:tprel_hi12:value
    ldrh w0, [x9, #:tprel_lo12_nc:value]
    ldrh w1, [x8, #:tprel_lo12:value]
    b    compare
function le_32
    add  x9, x8, #:tprel_hi12:value
    ldr  w0, [x9, #:tprel_lo12_nc:value]
    ldr  w1, [x8, #:tprel_lo12:value]
    b    compare
function le_64
    add  x9, x8, #:tprel_hi12:value
    ldr  x0, [x9, #:tprel_lo12_nc:value]
    ldr  x1, [x8, #:tprel_lo12:value]
compare:
    cmp  x0, x1
    csel x0, x0, xzr, eq
    ret
function le_128
    add  x9, x8, #:tprel_hi12:value
    add  x9, x9, #:tprel_lo12_nc:value
    ldr  q0, [x9]
    fmov x0, d0
    ret

    .macro own_module name
    .globl \name
    .type \name, %function
\name:
    stp  x29, x30, [sp, #-16]!
    adr  x0, :tlsldm:value
    bl   __tls_get_addr
    nop
    ldp  x29, x30, [sp], #16
    .endm

own_module ld_moves
    movz x1, #:dtprel_g1:value
    movk x1, #:dtprel_g0_nc:value
    ldr  x0, [x0, x1]
    ret
own_module ld_8
    add  x0, x0, #:dtprel_hi12:value
    ldrb w0, [x0, #:dtprel_lo12_nc:value]
    ret
own_module ld_16
    add  x0, x0, #:dtprel_hi12:value
    ldrh w0, [x0, #:dtprel_lo12_nc:value]
    ret
own_module ld_32
    add  x0, x0, #:dtprel_hi12:value
    ldr  w0, [x0, #:dtprel_lo12_nc:value]
    ret
own_module ld_64
    add  x0, x0, #:dtprel_hi12:value
    ldr  x0, [x0, #:dtprel_lo12_nc:value]
    ret

function ie_literal
    ldr  x0, :gottprel:value
    ldr  x0, [x8, x0]
    ret
function ie_moves
    adrp x1, _GLOBAL_OFFSET_TABLE_
    add  x1, x1, #:lo12:_GLOBAL_OFFSET_TABLE_
    movz x0, #:gottprel_g1:value
    movk x0, #:gottprel_g0_nc:value
    ldr  x0, [x1, x0]
    ldr  x0, [x8, x0]
    ret
/* The load does not replace the page: no movk can do its work, and nothing here may be relaxed. */
function ie_two_registers
    adrp x2, :gottprel:other
    ldr  x0, [x2, #:gottprel_lo12:other]
    ldr  x0, [x8, x0]
    ret

    .macro descriptor name
    .globl \name
    .type \name, %function
\name:
    mov  x9, x30
    mrs  x8, tpidr_el0
    .endm

descriptor descriptor_tiny
    ldr  x1, :tlsdesc:value
    adr  x0, :tlsdesc:value
    .tlsdesccall value
    blr  x1
    ldr  x0, [x8, x0]
    ret  x9
descriptor descriptor_large
    adrp x2, _GLOBAL_OFFSET_TABLE_
    add  x2, x2, #:lo12:_GLOBAL_OFFSET_TABLE_
    movz x0, #:tlsdesc_off_g1:value
    movk x0, #:tlsdesc_off_g0_nc:value
    .tlsdescldr value
    ldr  x1, [x2, x0]
    .tlsdescadd value
    add  x0, x2, x0
    .tlsdesccall value
    blr  x1
    ldr  x0, [x8, x0]
    ret  x9

    .macro dynamic name
    .globl \name
    .type \name, %function
\name:
    stp  x29, x30, [sp, #-16]!
    .endm

dynamic gd_tiny
    adr  x0, :tlsgd:value
    bl   __tls_get_addr
    nop
    ldr  x0, [x0]
    ldp  x29, x30, [sp], #16
    ret
dynamic gd_large
    adrp x2, _GLOBAL_OFFSET_TABLE_
    add  x2, x2, #:lo12:_GLOBAL_OFFSET_TABLE_
    movz x0, #:tlsgd_g1:value
    movk x0, #:tlsgd_g0_nc:value
    add  x0, x2, x0
    bl   __tls_get_addr
    ldr  x0, [x0]
    ldp  x29, x30, [sp], #16
    ret

    .section .tdata, "awT", %progbits
    .balign 16
    .space 48
    .globl value, other
    .type value, %object
    .type other, %object
value:
other:
    .xword 0x1122334455667788, 0x99
