/* A word that leads to a descriptor has to lead back to the instruction that uses it. */
// arch: armv7 -armebv7
// build: clang
// layout: near
// keep: word
// link-error: R_ARM_TLS_GOTDESC
// link-error: the place holds 0x40, expected a stored addend that leads back to BL, BLX or ADD
    .data
    .globl word
    .p2align 2
word:
    .reloc ., R_ARM_TLS_GOTDESC, variable
    .word 0x40
    .section .tdata, "awT", %progbits
    .globl variable
    .type variable, %object
variable:
    .word 1
