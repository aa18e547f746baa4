/* Loads into floating-point registers of all sizes. */
// arch: aarch64
// call(little): byte() = 0x21i64
// call(big): byte() = 0x43i64
// call: half() = 0x4321i64
// call: single() = 1.5f32
// call: real() = 2.5f64
// covers: R_AARCH64_LDST8_ABS_LO12_NC R_AARCH64_LDST16_ABS_LO12_NC R_AARCH64_LDST32_ABS_LO12_NC R_AARCH64_LDST64_ABS_LO12_NC
    .text
    .globl byte, half, single, real
    .type byte, %function
    .type half, %function
    .type single, %function
    .type real, %function
byte:
    adrp x1, small
    ldr  b0, [x1, :lo12:small]
    fmov x0, d0
    ret
half:
    adrp x1, small
    ldr  h0, [x1, :lo12:small]
    fmov x0, d0
    ret
single:
    adrp x1, one_and_a_half
    ldr  s0, [x1, :lo12:one_and_a_half]
    ret
real:
    adrp x1, two_and_a_half
    ldr  d0, [x1, :lo12:two_and_a_half]
    ret
    .section .rodata.numbers, "a"
    .p2align 3
two_and_a_half:
    .xword 0x4004000000000000
one_and_a_half:
    .word 0x3fc00000
small:
    .hword 0x4321
