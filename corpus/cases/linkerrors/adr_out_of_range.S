/* ADR reaches 1 MB: to a section further away there is no way, and the linker says so. */
// arch: aarch64 -aarch64_ilp32
// layout: far
// call: address() = &target
// link-error: R_AARCH64_ADR_PREL_LO21
// link-error: out of range
// link-error: target
// link-error: .text+0x4
// covers: R_AARCH64_ADR_PREL_LO21
    .text
    .globl address
    .type address, %function
address:
    nop
    adr  x0, target
    ret
    .data
    .globl target
target:
    .word 1
