/* The address of a function by way of the GOT: the entry holds it with the Thumb bit where there is one. */
// build: gcc -O2 -fPIC | clang -O2 -fPIC
// call: take() = &target
// call: through(20i32) = 21i32
int target(int);
int (*take(void))(int) { return target; }
int through(int x) { int (*volatile f)(int) = target; return f(x); }

//--- target.c
int target(int x) { return x + 1; }
