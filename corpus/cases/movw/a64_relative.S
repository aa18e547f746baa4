/* A distance in four MOVs: each instruction counts from its own place, which the addends make up for. */
// arch: aarch64 -aarch64_ilp32
// call: address() = &place
// covers: R_AARCH64_MOVW_PREL_G3 R_AARCH64_MOVW_PREL_G2_NC R_AARCH64_MOVW_PREL_G1_NC R_AARCH64_MOVW_PREL_G0_NC
    .text
    .globl address
    .type address, %function
address:
start:
    movz x0, #:prel_g3:place
    movk x0, #:prel_g2_nc:place+4
    movk x0, #:prel_g1_nc:place+8
    movk x0, #:prel_g0_nc:place+12
    adr  x1, start
    add  x0, x0, x1
    ret
    .data
    .globl place
place:
    .word 1
