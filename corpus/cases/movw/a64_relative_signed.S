/* Short distances with a sign, ahead and back: MOVZ or MOVN as the sign says. */
// arch: aarch64 -aarch64_ilp32
// layout: near
// call: ahead() = &after
// call: back() = &before
// call: two_parts() = &before
// call: three_parts() = &before
// covers: R_AARCH64_MOVW_PREL_G0 R_AARCH64_MOVW_PREL_G1 R_AARCH64_MOVW_PREL_G2
    .text
    .globl before, after, ahead, back, two_parts, three_parts
    .type ahead, %function
    .type back, %function
    .type two_parts, %function
    .type three_parts, %function
before:
    nop
ahead:
    movz x0, #:prel_g0:after
    adr  x1, ahead
    add  x0, x0, x1
    ret
back:
    movz x0, #:prel_g0:before
    adr  x1, back
    add  x0, x0, x1
    ret
two_parts:
    movz x0, #:prel_g1:before
    movk x0, #:prel_g0_nc:before+4
    adr  x1, two_parts
    add  x0, x0, x1
    ret
three_parts:
    movz x0, #:prel_g2:before
    movk x0, #:prel_g1_nc:before+4
    movk x0, #:prel_g0_nc:before+8
    adr  x1, three_parts
    add  x0, x0, x1
    ret
after:
    nop
