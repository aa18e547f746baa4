/* The image itself is relocated: thread-local pointers to data and to functions. */
// build(arm): @standard
// build(aarch64): gcc -O0 -fno-pic | gcc -O2 -fPIC | gcc -Os -fPIE | gcc -O2 -fno-pic -mcmodel=tiny | gcc -O2 -fno-pic -mcmodel=large
// build(aarch64): clang -O0 -fno-pic | clang -O2 -fPIC | clang -Os -fPIE | clang -O2 -fno-pic -mcmodel=tiny
// call: follow() = 30i32
// call: call(4i32) = 9i32
static int target[3] = {10, 20, 30};
static int add(int x) { return x + 5; }
static _Thread_local int *pointer = &target[2];
static _Thread_local int (*function)(int) = add;
int follow(void) { return *pointer; }
int call(int x) { return function(x); }
