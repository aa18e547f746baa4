/* MOVN under a relocation of unsigned groups, which are for MOVZ and MOVK: the register would get the complement of the value. */
// arch: aarch64 -aarch64_ilp32
// layout: near
// define: value = 0x1234
// call: get() = 1i32
// link-error: R_AARCH64_MOVW_UABS_G0
// link-error: .text+0x0
// covers: R_AARCH64_MOVW_UABS_G0
    .text
    .globl get
    .type get, %function
get:
    .reloc ., R_AARCH64_MOVW_UABS_G0, value
    movn x0, #0
    ret
