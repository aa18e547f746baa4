/* A jump, not a call, to a far function: the veneer must not touch the return address. */
// layout: far
// build: gcc -O2 -fno-pic | clang -O2 -fno-pic | gcc -O2 -fPIC | clang -O2 -fPIC
// call: first(4i32) = 19i32
// covers(armv7): R_ARM_JUMP24
// covers(thumbv7): R_ARM_THM_JUMP24
// covers(aarch64): R_AARCH64_JUMP26
int second(int);
int first(int x) { return second(x + 1); }

//--- second.c
int third(int);
int second(int x) { return third(3 * x); }

//--- third.c
int third(int x) { return x + 4; }
