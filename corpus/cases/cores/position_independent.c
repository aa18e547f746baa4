/* Position-independent code without MOVW: distances and table offsets come from literal pools. */
// arch: armv6 thumbv7m thumbv6m
// build: gcc -O0 -fPIC | gcc -O2 -fPIC | clang -O2 -fPIC
// call: sum(1i32) = 7i32
// call: where() = &b
extern int a, b;
static int c = 3;
int sum(int x) { return x + a + b + c++; }
int *where(void) { return &b; }

//--- values.c
int a = 1, b = 2;
