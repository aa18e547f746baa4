/* Variables of this module are found from the module's own start, of which a descriptor is asked for by a name that the
   linker defines: what clang writes for several of them (-aarch64-elf-ldtls-generation). */
// arch: aarch64 -aarch64_ilp32
// build: clang
// call: sum() = 42u64
// covers: R_AARCH64_TLSDESC_ADR_PAGE21 R_AARCH64_TLSLD_ADD_DTPREL_HI12 R_AARCH64_TLSLD_ADD_DTPREL_LO12_NC
    .text
    .globl sum
    .type sum, %function
sum:
    stp  x29, x30, [sp, #-16]!
    adrp x0, :tlsdesc:_TLS_MODULE_BASE_
    ldr  x1, [x0, :tlsdesc_lo12:_TLS_MODULE_BASE_]
    add  x0, x0, :tlsdesc_lo12:_TLS_MODULE_BASE_
    .tlsdesccall _TLS_MODULE_BASE_
    blr  x1
    mrs  x2, tpidr_el0
    add  x2, x2, x0
    add  x3, x2, :dtprel_hi12:first
    add  x3, x3, :dtprel_lo12_nc:first
    add  x4, x2, :dtprel_hi12:second
    add  x4, x4, :dtprel_lo12_nc:second
    ldr  x0, [x3]
    ldr  x1, [x4]
    add  x0, x0, x1
    ldp  x29, x30, [sp], #16
    ret
    .section .tdata, "awT", %progbits
    .balign 8
    .xword 99
first:
    .xword 20
second:
    .xword 22
