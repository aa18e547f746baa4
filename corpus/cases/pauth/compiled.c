/* What clang makes of function pointers when they are signed: in a table, through an argument, compared, returned. */
// arch: aarch64 -aarch64_be -aarch64_ilp32
// build: clang -O2 --target=aarch64-linux-pauthtest -march=armv8.3-a | clang -O0 --target=aarch64-linux-pauthtest -march=armv8.3-a
// layout: near far high
// call: by_table(1i32, 20i32) = 21i32
// call: by_table(0i32, 20i32) = 40i32
// call: apply_add(5i32) = 6i32
// call: same() = 1i32
// covers: R_AARCH64_AUTH_ABS64
int twice(int x);
int add(int x);
int (*const table[])(int) = {twice, add};
int (*volatile chosen)(int) = add;
int by_table(int i, int x) { return table[i](x); }
static int apply(int (*f)(int), int x) { return f(x); }
int apply_add(int x) { return apply(chosen, x); }
int same(void) { return chosen == add && chosen != twice; }

//--- functions.c
int twice(int x) { return 2 * x; }
int add(int x) { return x + 1; }
