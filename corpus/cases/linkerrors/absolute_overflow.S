/* Absolute values that do not fit: one too large for 16 bits by the ABI's lenient rule, which takes -32768 to 65535. */
// arch: aarch64 -aarch64_ilp32
// layout: near
// define: too_large = 0x10000
// call: get() = 1i32
// link-error: R_AARCH64_ABS16
// link-error: out of range
// link-error: too_large
// link-error: .data+0x2
// covers: R_AARCH64_ABS16
    .text
    .globl get
    .type get, %function
get:
    adrp x0, halves
    ldrh w0, [x0, :lo12:halves]
    ret
    .data
halves:
    .hword 1
    .hword too_large
