/* A table of functions: on Thumb-only cores every entry has its lowest bit set, or the call would fault. */
// arch: armv6 thumbv6m thumbv7m
// call: run(0i32, 7i32) = 8i32
// call: run(1i32, 7i32) = 49i32
// call: entry(1i32) = &square
// covers: R_ARM_ABS32
int square(int);
static int next(int x) { return x + 1; }
int (*const table[])(int) = {next, square};
int run(int i, int x) { return table[i](x); }
int (*entry(int i))(int) { return table[i]; }

//--- square.c
int square(int x) { return x * x; }
