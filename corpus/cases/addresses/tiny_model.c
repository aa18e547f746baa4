/* The tiny code model of AArch64: addresses by one ADR, values by one literal load, everything within 1 MB. */
// arch: aarch64
// build: gcc -O0 -mcmodel=tiny -fno-pic | gcc -O2 -mcmodel=tiny -fno-pic | clang -O2 -mcmodel=tiny -fno-pic | gcc -O2 -mcmodel=tiny -fPIC | clang -O2 -mcmodel=tiny -fPIC
// layout: near
// call: where() = &value
// call: get() = 77i32
// covers: R_AARCH64_ADR_PREL_LO21 R_AARCH64_LD_PREL_LO19 R_AARCH64_GOT_LD_PREL19
extern int value;
int *where(void) { return &value; }
int get(void) { return value; }

//--- value.c
int value = 77;
