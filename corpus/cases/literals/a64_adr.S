/* ADR to other sections, to odd addresses too: its 21 bits are split in two fields. */
// arch: aarch64
// layout: near
// for: OFFSET = 0 1 2 3 1001
// call: address() = &place+$OFFSET
// covers: R_AARCH64_ADR_PREL_LO21
    .text
    .globl address
    .type address, %function
address:
    adr  x0, place+OFFSET
    ret
    .data
    .globl place
    .p2align 3
place:
    .space 1024
