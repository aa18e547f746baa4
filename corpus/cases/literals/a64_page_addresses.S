/* ADRP with ADD, to the last byte of a page, the first of the next, and far away by an addend. */
// arch: aarch64
// for: OFFSET = 0 4095 4096 0x12345
// call: address() = &place+$OFFSET
// call: upper_only() = 0i64
// covers: R_AARCH64_ADR_PREL_PG_HI21 R_AARCH64_ADD_ABS_LO12_NC
    .text
    .globl address, upper_only
    .type address, %function
    .type upper_only, %function
address:
    adrp x0, place+OFFSET
    add  x0, x0, :lo12:place+OFFSET
    ret
upper_only:
    adrp x0, place+OFFSET
    and  x0, x0, #0xfff
    ret
    .bss
    .globl place
    .p2align 12
place:
    .space 0x14000
