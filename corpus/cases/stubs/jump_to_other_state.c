/* Tail calls between ARM and Thumb code: a plain branch cannot change state, so the linker puts a stub between. */
// arch: armv7
// build: gcc -O2 -fno-pic | gcc -O2 -fPIC | clang -O2 -fno-pic | clang -O2 -fPIC
// flags(a.c): -marm
// flags(b.c): -mthumb
// flags(c.c): -marm
// call: a(1i32) = 124i32
// covers: R_ARM_JUMP24 R_ARM_THM_JUMP24
//--- a.c
int b(int);
int a(int x) { return b(x * 10 + 2); }

//--- b.c
int c(int);
int b(int x) { return c(x * 10 + 3); }

//--- c.c
int c(int x) { return x + 1; }
