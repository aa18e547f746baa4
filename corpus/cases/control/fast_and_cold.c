/* A rarely used path put into a section of its own: branches out of the middle of a function and back. */
// layout: near far
// build: gcc -O2 -fno-pic | gcc -O2 -fPIC | clang -O2 -fno-pic | clang -O2 -fPIC
// call: check(5i32) = 10i32
// call: check(-5i32) = 1005i32
int complain(int) __attribute__((cold));
int check(int x) { if (__builtin_expect(x < 0, 0)) return complain(x); return 2 * x; }

//--- complain.c
__attribute__((cold)) int complain(int x) { return 1000 - x; }
