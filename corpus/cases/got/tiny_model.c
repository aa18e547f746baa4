/* The tiny code model in position-independent code: the GOT entry is loaded by one PC-relative literal load. */
// arch: aarch64
// build: gcc -O0 -fPIC -mcmodel=tiny | gcc -O2 -fPIC -mcmodel=tiny | clang -O0 -fPIC -mcmodel=tiny | clang -O2 -fPIC -mcmodel=tiny
// layout: near
// call: sum() = 6i32
// covers: R_AARCH64_GOT_LD_PREL19
extern int a, b, c;
int sum(void) { int s = a; a = b; b = c; c = 0; return s + a + b; }

//--- values.c
int a = 1, b = 2, c = 3;
