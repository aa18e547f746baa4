/* The unchecked form of ADRP's relocation. */
// arch: aarch64 -aarch64_ilp32
// call: address() = &place
// covers: R_AARCH64_ADR_PREL_PG_HI21_NC R_AARCH64_ADD_ABS_LO12_NC
    .text
    .globl address
    .type address, %function
address:
    adrp x0, :pg_hi21_nc:place
    add  x0, x0, :lo12:place
    ret
    .data
    .globl place
    .byte 1, 2, 3
place:
    .byte 4
