/* Stores of every size, from integer and floating-point registers, to offsets within one variable. */
// arch: aarch64
// call: store() = void
// memory: area = 11 00 22 22 33 33 33 33 44 44 44 44 44 44 44 44
// memory(little): area+16 = 55 55 55 55 55 55 55 55 00 00 00 00 00 00 00 00
// memory(big): area+16 = 00 00 00 00 00 00 00 00 55 55 55 55 55 55 55 55
// covers: R_AARCH64_LDST8_ABS_LO12_NC R_AARCH64_LDST16_ABS_LO12_NC R_AARCH64_LDST32_ABS_LO12_NC R_AARCH64_LDST64_ABS_LO12_NC R_AARCH64_LDST128_ABS_LO12_NC
    .text
    .globl store
    .type store, %function
store:
    adrp x1, area
    mov  w0, #0x11
    strb w0, [x1, :lo12:area]
    mov  w0, #0x2222
    strh w0, [x1, :lo12:area+2]
    mov  w0, #0x33333333
    str  w0, [x1, :lo12:area+4]
    mov  x0, #0x4444444444444444
    str  x0, [x1, :lo12:area+8]
    mov  x0, #0x5555555555555555
    fmov d0, x0
    str  q0, [x1, :lo12:area+16]
    ret
    .bss
    .globl area
    .p2align 5
area:
    .space 32
