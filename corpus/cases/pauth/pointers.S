/* Signed pointers in data: each key, with a discriminator, with the address of the place, with both and with neither. Code that
   authenticates them the same way gets the plain pointer back; every other way gives one that faults. */
// arch: aarch64 -aarch64_ilp32
// build: clang -march=armv8.3-a
// layout: near high
// call: instruction_a() = 77i32
// call: instruction_b() = 77i32
// call: data_a() = &variable
// call: data_b() = &variable+8
// call: nothing() = 0i64
// call: is_signed() = 1i32
// covers: R_AARCH64_AUTH_ABS64
    .macro function name
    .globl \name
    .type \name, %function
\name:
    adrp x8, pointers
    add  x8, x8, :lo12:pointers
    .endm
    .text
seventy_seven:
    mov  w0, #77
    ret
function instruction_a           // discriminator and address
    stp  x29, x30, [sp, #-16]!
    ldr  x1, [x8]
    movk x8, #42, lsl #48
    blraa x1, x8
    ldp  x29, x30, [sp], #16
    ret
function instruction_b           // a discriminator
    stp  x29, x30, [sp, #-16]!
    ldr  x1, [x8, #8]
    mov  x9, #0xffff
    blrab x1, x9
    ldp  x29, x30, [sp], #16
    ret
function data_a                  // the address
    ldr  x0, [x8, #16]!
    autda x0, x8
    ret
function data_b                  // neither
    ldr  x0, [x8, #24]
    autdzb x0
    ret
function nothing                 // undefined and weak: null is not signed
    ldr  x0, [x8, #32]
    ret
function is_signed               // there is something in the upper bits
    ldr  x0, [x8]
    lsr  x0, x0, #48
    cmp  x0, #0
    cset w0, ne
    ret
    .data
    .p2align 3
pointers:
    .xword seventy_seven@AUTH(ia,42,addr)
    .xword seventy_seven@AUTH(ib,65535)
    .xword variable@AUTH(da,0,addr)
    .xword (variable+8)@AUTH(db,0)
    .xword missing@AUTH(ia,1)
    .weak missing
    .globl variable
variable:
    .xword 5, 6
