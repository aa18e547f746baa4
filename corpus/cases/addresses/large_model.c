/* The large code model of AArch64: whole 64-bit addresses, in four MOVs or from a literal pool. */
// arch: aarch64 -aarch64_ilp32
// build: gcc -O0 -mcmodel=large -fno-pic | gcc -O2 -mcmodel=large -fno-pic | clang -O0 -mcmodel=large -fno-pic | clang -O2 -mcmodel=large -fno-pic
// call: where() = &value
// call: get() = 77i32
// call: text() = 104i32
// covers: R_AARCH64_ABS64 R_AARCH64_MOVW_UABS_G0_NC R_AARCH64_MOVW_UABS_G1_NC R_AARCH64_MOVW_UABS_G2_NC R_AARCH64_MOVW_UABS_G3
extern int value;
int first(const char *);
int *where(void) { return &value; }
int get(void) { return value; }
int text(void) { return first("hello"); }

//--- value.c
int value = 77;
int first(const char *s) { return s[0]; }
