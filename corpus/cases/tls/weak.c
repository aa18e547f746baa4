/* A weak definition of a thread-local variable gives way to a strong one, and stands where there is none. */
// build(arm): @standard
// build(aarch64): gcc -O0 -fno-pic | gcc -O2 -fPIC | gcc -Os -fPIE | gcc -O2 -fno-pic -mcmodel=tiny | gcc -O2 -fno-pic -mcmodel=large
// build(aarch64): clang -O0 -fno-pic | clang -O2 -fPIC | clang -Os -fPIE | clang -O2 -fno-pic -mcmodel=tiny
// call: first() = 2i32
// call: second() = 30i32
__attribute__((weak)) _Thread_local int overridden = 1;
__attribute__((weak)) _Thread_local int alone = 30;
extern int first(void);
int second(void) { return alone; }

//--- strong.c
_Thread_local int overridden = 2;
int first(void) { return overridden; }
