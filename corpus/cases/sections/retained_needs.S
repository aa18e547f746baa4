/* What a retained section refers to is needed, although nothing refers to the section itself. */
// keep: use
// layout: near
// link-error: undefined symbol: missing
// link-error: .data.kept
    .section .data.kept, "awR", %progbits
    .p2align 3
#if defined(__LP64__)
    .xword missing
#else
    .word missing
#endif

//--- use.c
int use(void) { return 5; }
