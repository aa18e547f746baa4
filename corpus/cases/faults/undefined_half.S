/* Holes among the half-precision SIMD instructions: undefined when they are executed, and data like any other when they are not. */
// arch: aarch64 -aarch64_be
// call: beside() = 0x4e472e45u32
// call: three() = void
// fault: undefined at three+4
    .text
    .globl beside
    .type beside, %function
beside:
    ldr  w0, 1f
    ret
1:
    .inst 0x4e472e45
    .inst 0x2e79284d

    .globl three
    .type three, %function
three:
    mov  w0, #1
    .inst 0x2e79284d
    ret
