/* A 32-bit distance of more than 2 GB: it would be read as a negative one, and what it leads to is 4 GB off. */
// arch: aarch64 -aarch64_ilp32
// layout: near
// define: beyond = 0xc0000000
// call: get() = 1i32
// link-error: R_AARCH64_PREL32
// link-error: out of range
// link-error: beyond
// covers: R_AARCH64_PREL32
    .text
    .globl get
    .type get, %function
get:
    adrp x0, distance
    ldrsw x0, [x0, :lo12:distance]
    ret
    .data
distance:
    .word beyond - .
