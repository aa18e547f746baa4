/* Alignment of a thread's variables beyond that of its control block: the copy is moved up, and every offset with it. */
// build(arm): @standard
// build(aarch64): gcc -O0 -fno-pic | gcc -O2 -fPIC | gcc -Os -fPIE | gcc -O2 -fno-pic -mcmodel=tiny | gcc -O2 -fno-pic -mcmodel=large
// build(aarch64): clang -O0 -fno-pic | clang -O2 -fPIC | clang -Os -fPIE | clang -O2 -fno-pic -mcmodel=tiny
// for: MODEL = global-dynamic initial-exec local-exec
// for: ALIGN = 4 32 256
// flags: -ftls-model=$MODEL
// call: misaligned() = 0i32
// call: read() = 42i32
_Thread_local char before = 1;
_Thread_local int aligned __attribute__((aligned(ALIGN))) = 42;
_Thread_local char zero_aligned[3] __attribute__((aligned(ALIGN)));
int misaligned(void) {
    return (int)(((unsigned long)&aligned | (unsigned long)zero_aligned) % ALIGN) + zero_aligned[1];
}
int read(void) { return aligned + before - 1; }
