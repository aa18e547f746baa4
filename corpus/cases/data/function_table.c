/* A table of functions, static ones and those of another object, called by index: indirect calls through data. */
// call: run(0i32, 7i32) = 8i32
// call: run(1i32, 7i32) = 14i32
// call: run(2i32, 7i32) = 49i32
// call: entry(2i32) = &square
// covers(armv7): R_ARM_ABS32
// covers(thumbv7): R_ARM_ABS32
// covers(aarch64): R_AARCH64_ABS64
int twice(int), square(int);
static int next(int x) { return x + 1; }
int (*const table[])(int) = {next, twice, square};
int run(int i, int x) { return table[i](x); }
int (*entry(int i))(int) { return table[i]; }

//--- more.c
int twice(int x) { return 2 * x; }
int square(int x) { return x * x; }
