/* A section marked to be retained (SHF_GNU_RETAIN) stays although nothing refers to it, and is relocated. */
// arch: -aarch64_ilp32
// keep: use
// call: use() = 5i32
// memory: kept = 6i32
    .section .data.kept, "awR", %progbits
    .globl kept
    .p2align 3
kept:
    .word 6
#if defined(__aarch64__)
    .word 0
    .xword use
#else
    .word use
#endif

//--- use.c
int use(void) { return 5; }
