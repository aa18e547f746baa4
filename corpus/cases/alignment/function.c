/* Aligned functions, in two objects: the start of each is a multiple of its alignment, and the padding is never run. */
// for: ALIGN = 32 4096
// call: aligned() = 3i32
// call: both(4i32) = 21i32
#include <stdint.h>
int second(int);
__attribute__((aligned(ALIGN), noinline)) int first(int x) { return 4 * x; }
int both(int x) { return first(x) + second(x); }
static int ok(int (*f)(int)) { __asm__ volatile("" : "+r"(f)); return ((uintptr_t)f & ~(uintptr_t)1) % ALIGN == 0; }
int aligned(void) { return ok(first) + 2 * ok(second); }

//--- second.c
int odd(int x) { return x - 1; }
__attribute__((aligned(ALIGN))) int second(int x) { return x + 1; }
