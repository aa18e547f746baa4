/* The checked forms of the MOV group refuse what the bits above would be needed for. */
// arch: aarch64 -aarch64_ilp32
// for: GROUP = 0 1 2
// layout: near
// define: too_large = 0x1000000000000
// call: get() = 1i64
// link-error: R_AARCH64_MOVW_UABS_G$GROUP
// link-error: out of range
// link-error: too_large
    .text
    .globl get
    .type get, %function
get:
#if GROUP == 0
    movz x0, #:abs_g0:too_large
#elif GROUP == 1
    movz x0, #:abs_g1:too_large
#else
    movz x0, #:abs_g2:too_large
#endif
    ret
