/* Position-independent code reaches the data of another object through a table of addresses, the GOT. */
// build: gcc -O0 -fPIC | gcc -O2 -fPIC | clang -O0 -fPIC | clang -O2 -fPIC
// call: add(3i32) = 10i32
// memory: value = 10i32
// covers(aarch64): R_AARCH64_ADR_GOT_PAGE R_AARCH64_LD64_GOT_LO12_NC
// covers(armv7): R_ARM_GOT_PREL
// covers(thumbv7): R_ARM_GOT_PREL
extern int value;
int add(int x) { value += x; return value; }

//--- value.c
int value = 7;
