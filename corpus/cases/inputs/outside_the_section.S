/* A symbol is an offset from its section's start, and may lie before it or behind its end, any distance away: what its
   users add leads back. */
// arch: armv7 aarch64 -aarch64_ilp32
// call: before() = 42u32
// call: behind() = 42u32
// call: far_before() = 42u32
#if defined(__aarch64__)
#define LOAD(s, add) adrp x1, s+(add); ldr w0, [x1, #:lo12:s+(add)]; ret
#define FAR(s, add) ldr x1, =s+(add); ldr w0, [x1]; ret; .ltorg
#else
    .syntax unified
    .arm
#define LOAD(s, add) ldr r1, =s+(add); ldr r0, [r1]; bx lr; .ltorg
#define FAR(s, add) LOAD(s, add)
#endif
    .data
    .balign 16
    .globl early, late, distant
numbers:
    .word 41, 42, 43, 44
    .set early, numbers - 0x1000
    .set late, numbers + 0x2000
    .set distant, numbers - 0x60000000
    .text
    .globl before, behind, far_before
    .type before, %function
    .type behind, %function
    .type far_before, %function
before:
    LOAD(early, 0x1004)
behind:
    LOAD(late, -0x1ffc)
far_before:
    FAR(distant, 0x60000004)
