/* A table of functions, one of which is an IFUNC. */
// call: run(0i32, 6i32) = 7i32
// call: run(1i32, 6i32) = 60i32
int pick(int);
static int plus(int x) { return x + 1; }
int (*const table[])(int) = {plus, pick};
int run(int i, int x) { return table[i](x); }

//--- pick.c
static int ten(int x) { return 10 * x; }
static void *choose(void) { return (void *)ten; }
int pick(int) __attribute__((ifunc("choose")));
