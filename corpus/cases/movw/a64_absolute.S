/* A 64-bit address in four MOVs: the unchecked relocations for the lower parts, the last for the top. */
// arch: aarch64 -aarch64_ilp32
// call: address() = &place
// call: constant() = 0x123456789abcdef0u64
// define: wide = 0x123456789abcdef0
// covers: R_AARCH64_MOVW_UABS_G3 R_AARCH64_MOVW_UABS_G2_NC R_AARCH64_MOVW_UABS_G1_NC R_AARCH64_MOVW_UABS_G0_NC
    .text
    .globl address, constant
    .type address, %function
    .type constant, %function
address:
    movz x0, #:abs_g3:place
    movk x0, #:abs_g2_nc:place
    movk x0, #:abs_g1_nc:place
    movk x0, #:abs_g0_nc:place
    ret
constant:
    movz x0, #:abs_g0_nc:wide
    movk x0, #:abs_g1_nc:wide
    movk x0, #:abs_g2_nc:wide
    movk x0, #:abs_g3:wide
    ret
    .data
    .globl place
    .byte 0
place:
    .byte 1
