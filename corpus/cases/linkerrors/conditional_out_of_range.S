/* A conditional branch, a test-and-branch: the ABI gives them no veneers. */
// arch: aarch64 -aarch64_ilp32
// for: FORM = CONDBR19 TSTBR14
// layout: far
// call: choose(0i32) = 1i32
// link-error: R_AARCH64_$FORM
// link-error: out of range
// link-error: distant
#define IS_CONDBR19 1
#define IS_TSTBR14 2
#define PASTE(x) IS_##x
#define IS(x) PASTE(x)
    .text
    .globl choose
    .type choose, %function
choose:
#if IS(FORM) == 1
    cbz  w0, distant
#else
    tbz  w0, #0, distant
#endif
    ret
    .section .text.distant, "ax"
    .globl distant
    .type distant, %function
distant:
    mov  w0, #1
    ret
