/* A thread-local variable pulls its member from an archive. */
// build(arm): @standard
// build(aarch64): gcc -O0 -fno-pic | gcc -O2 -fPIC | gcc -Os -fPIE | gcc -O2 -fno-pic -mcmodel=tiny | gcc -O2 -fno-pic -mcmodel=large
// build(aarch64): clang -O0 -fno-pic | clang -O2 -fPIC | clang -Os -fPIE | clang -O2 -fno-pic -mcmodel=tiny
// archive: libtls.a = tls.c unused.c
// call: get() = 11i32
extern _Thread_local int pulled;
int get(void) { return pulled; }

//--- tls.c
_Thread_local int pulled = 11;

//--- unused.c
_Thread_local int unused[1000] = {1};
