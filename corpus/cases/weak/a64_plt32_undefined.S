/* An offset to an undefined weak function is the addend: the value of such a reference is the place (AAELF64). No stub stands in. */
// arch: aarch64
// build: clang
// memory: offsets = 0i32 4i32
// call: offsets_address() = &offsets
// covers: R_AARCH64_PLT32
    .text
    .globl offsets_address
    .type offsets_address, %function
offsets_address:
    adrp x0, offsets
    add  x0, x0, :lo12:offsets
    ret
    .weak nobody
    .data
    .globl offsets
    .p2align 2
offsets:
    .word nobody@PLT - .
    .word nobody@PLT - . + 4
