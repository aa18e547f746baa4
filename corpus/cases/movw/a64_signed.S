/* The signed forms: for a negative value the linker turns MOVZ into MOVN and inverts the bits, and back for a positive one. */
// arch: aarch64 -aarch64_ilp32
// define: zero = 0
// for: VALUE = 5 -5 32767 -32768
// call: small() = 1i32
// call: medium() = 1i32
// call: large() = 1i32
// covers: R_AARCH64_MOVW_SABS_G0 R_AARCH64_MOVW_SABS_G1 R_AARCH64_MOVW_SABS_G2
    .text
    .globl small, medium, large
    .type small, %function
    .type medium, %function
    .type large, %function
small:
    movz x0, #:abs_g0_s:zero+(VALUE)
    ldr  x1, value
    b    compare
medium:
    movz x0, #:abs_g1_s:zero+(VALUE)*0x10000
    movk x0, #:abs_g0_nc:zero+(VALUE)*0x10000
    ldr  x1, value
    lsl  x1, x1, #16
    b    compare
large:
    movn x0, #:abs_g2_s:zero+(VALUE)*0x100000000
    movk x0, #:abs_g1_nc:zero+(VALUE)*0x100000000
    movk x0, #:abs_g0_nc:zero+(VALUE)*0x100000000
    ldr  x1, value
    lsl  x1, x1, #32
compare:
    cmp  x0, x1
    cset w0, eq
    ret
    .p2align 3
value:
    .xword VALUE
