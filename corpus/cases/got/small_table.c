/* -fpic on AArch64: the GOT is small, an entry is loaded relative to the page of its start. */
// arch: aarch64
// build: gcc -O0 -fpic | gcc -O2 -fpic
// call: sum() = 6i32
// covers: R_AARCH64_ADR_PREL_PG_HI21 R_AARCH64_LD64_GOTPAGE_LO15
extern int a, b, c;
int sum(void) { int s = a; a = b; b = c; c = 0; return s + a + b; }

//--- values.c
int a = 1, b = 2, c = 3;
