/* The way GCC addresses globals in position-independent ARM code: the base of the GOT first, then an entry relative to it. */
// arch: armv7 thumbv7
// build: gcc -O0 -fPIC | gcc -O2 -fPIC | gcc -Os -fPIC
// call: sum() = 6i32
// covers: R_ARM_BASE_PREL R_ARM_GOT_BREL
extern int a, b, c;
int sum(void) { int s = a; a = b; b = c; c = 0; return s + a + b; }

//--- values.c
int a = 1, b = 2, c = 3;
