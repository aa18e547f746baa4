/* Hidden data in position-independent code: addressed relative to the code, without a table. */
// build: gcc -O2 -fPIC | clang -O2 -fPIC | gcc -O0 -fPIC | clang -O0 -fPIC
// call: add(3i32) = 10i32
// call: own() = 5i32
// covers(aarch64): R_AARCH64_ADR_PREL_PG_HI21
// covers(armv7): R_ARM_REL32
// covers(thumbv7): R_ARM_REL32
__attribute__((visibility("hidden"))) extern int value;
static int private_value = 4;
int add(int x) { value += x; return value; }
int own(void) { return ++private_value; }

//--- value.c
__attribute__((visibility("hidden"))) int value = 7;
