/* GOT entries for local symbols: the table is not only for names that others see. Each stands at the start of a section,
   because assemblers may write the section's symbol instead. */
// arch: aarch64 -aarch64_ilp32
// call: load() = 23i32
// call: other() = 24i32
// call: address() = &witness
// covers: R_AARCH64_ADR_GOT_PAGE R_AARCH64_LD64_GOT_LO12_NC
    .text
    .globl load, other, address
    .type load, %function
    .type other, %function
    .type address, %function
load:
    adrp x0, :got:local
    ldr  x0, [x0, :got_lo12:local]
    ldr  w0, [x0]
    ret
other:
    adrp x0, :got:second
    ldr  x0, [x0, :got_lo12:second]
    ldr  w0, [x0]
    ret
address:
    adrp x1, :got:local
    ldr  x0, [x1, :got_lo12:local]
    ret

    .section .data.one, "aw"
    .globl witness
witness:
local:
    .word 23
    .section .data.two, "aw"
second:
    .word 24
