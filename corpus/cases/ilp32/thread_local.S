/* ILP32: thread-local variables in every model that the assembler has. Descriptors and modules have words of 32 bits. */
// arch: aarch64_ilp32
// layout: near high
// build: gcc
// call: local_exec() = 0x55667788u32
// call: local_moves() = 0x55667788u32
// call: initial_exec() = 0x55667788u32
// call: initial_literal() = 0x55667788u32
// call: descriptor() = 0x55667788u32
// call: descriptor_tiny() = 0x55667788u32
// call: general() = 0x55667788u32
// covers: R_AARCH64_P32_TLSLE_ADD_TPREL_HI12 R_AARCH64_P32_TLSLE_ADD_TPREL_LO12_NC R_AARCH64_P32_TLSLE_MOVW_TPREL_G1
// covers: R_AARCH64_P32_TLSLE_MOVW_TPREL_G0_NC R_AARCH64_P32_TLSIE_ADR_GOTTPREL_PAGE21 R_AARCH64_P32_TLSIE_LD32_GOTTPREL_LO12_NC
// covers: R_AARCH64_P32_TLSIE_LD_GOTTPREL_PREL19 R_AARCH64_P32_TLSDESC_ADR_PAGE21 R_AARCH64_P32_TLSDESC_LD32_LO12
// covers: R_AARCH64_P32_TLSDESC_ADD_LO12 R_AARCH64_P32_TLSDESC_CALL R_AARCH64_P32_TLSDESC_LD_PREL19 R_AARCH64_P32_TLSDESC_ADR_PREL21
// covers: R_AARCH64_P32_TLSGD_ADR_PAGE21 R_AARCH64_P32_TLSGD_ADD_LO12_NC
    .text
    .macro function name
    .globl \name
    .type \name, %function
\name:
    mrs  x8, tpidr_el0
    .endm
function local_exec
    add  x0, x8, #:tprel_hi12:value
    add  x0, x0, #:tprel_lo12_nc:value
    ldr  w0, [x0]
    ret
function local_moves
    movz x0, #:tprel_g1:value
    movk x0, #:tprel_g0_nc:value
    ldr  w0, [x8, x0]
    ret
function initial_exec
    adrp x0, :gottprel:value
    ldr  w0, [x0, #:gottprel_lo12:value]
    ldr  w0, [x8, x0]
    ret
function initial_literal
    ldr  w0, :gottprel:value
    ldr  w0, [x8, x0]
    ret
function descriptor
    stp  x29, x30, [sp, #-16]!
    adrp x0, :tlsdesc:value
    ldr  w1, [x0, #:tlsdesc_lo12:value]
    add  w0, w0, #:tlsdesc_lo12:value
    .tlsdesccall value
    blr  x1
    ldr  w0, [x8, x0]
    ldp  x29, x30, [sp], #16
    ret
function descriptor_tiny
    stp  x29, x30, [sp, #-16]!
    ldr  w1, :tlsdesc:value
    adr  x0, :tlsdesc:value
    .tlsdesccall value
    blr  x1
    ldr  w0, [x8, x0]
    ldp  x29, x30, [sp], #16
    ret
function general
    stp  x29, x30, [sp, #-16]!
    adrp x0, :tlsgd:value
    add  x0, x0, #:tlsgd_lo12:value
    bl   __tls_get_addr
    nop
    ldr  w0, [x0]
    ldp  x29, x30, [sp], #16
    ret
    .section .tdata, "awT", %progbits
    .balign 16
    .space 48
    .globl value
    .type value, %object
value:
    .word 0x55667788
