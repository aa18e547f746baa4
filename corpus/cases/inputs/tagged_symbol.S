/* A symbol whose value has a tag in its highest byte, which the processor ignores in addresses: the place is the same. */
// arch: aarch64 -aarch64_ilp32 -aarch64_be
// call: tag() = 0xb4u64
// call: place() = 0u64
    .data
    .balign 8
    .globl tagged, number
number:
    .xword 42
    .set tagged, number + 0xb400000000000000
pointer:
    .xword tagged
    .text
    .globl tag, place
    .type tag, %function
    .type place, %function
tag:
    adrp x0, pointer
    ldr  x0, [x0, #:lo12:pointer]
    lsr  x0, x0, #56
    ret
place:
    adrp x0, pointer
    ldr  x0, [x0, #:lo12:pointer]
    adrp x1, number
    add  x1, x1, #:lo12:number
    eor  x0, x0, x1
    lsl  x0, x0, #8
    ret
