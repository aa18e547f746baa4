/* The checked relocations at the largest value that each of them takes. */
// arch: aarch64 -aarch64_ilp32
// define: sixteen = 0xffff
// define: thirtytwo = 0xffffffff
// define: fortyeight = 0xffffffffffff
// call: one() = 0xffffu64
// call: two() = 0xffffffffu64
// call: three() = 0xffffffffffffu64
// covers: R_AARCH64_MOVW_UABS_G0 R_AARCH64_MOVW_UABS_G1 R_AARCH64_MOVW_UABS_G2
    .text
    .globl one, two, three
    .type one, %function
    .type two, %function
    .type three, %function
one:
    movz x0, #:abs_g0:sixteen
    ret
two:
    movz x0, #:abs_g1:thirtytwo
    movk x0, #:abs_g0_nc:thirtytwo
    ret
three:
    movz x0, #:abs_g2:fortyeight
    movk x0, #:abs_g1_nc:fortyeight
    movk x0, #:abs_g0_nc:fortyeight
    ret
