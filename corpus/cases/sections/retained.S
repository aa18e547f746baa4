/* A section marked to be retained (SHF_GNU_RETAIN) is relocated. (That it stays by itself shows `retained_needs`: to look at it here makes it a root.) */
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
