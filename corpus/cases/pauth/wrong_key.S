/* A pointer that is authenticated with another discriminator than it was signed with leads nowhere. */
// arch: aarch64 -aarch64_ilp32
// build: clang -march=armv8.3-a
// layout: near
// call: call() = void
// fault: fetch
    .text
    .globl call
    .type call, %function
call:
    adrp x8, pointer
    ldr  x1, [x8, :lo12:pointer]
    mov  x9, #43
    blraa x1, x9
    ret
    .data
    .p2align 3
pointer:
    .xword call@AUTH(ia,42)
