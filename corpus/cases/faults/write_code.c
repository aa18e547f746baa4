/* A write to code. */
// call: bad() = void
// fault: write
#include <stdint.h>
int victim(int);
void bad(void) { *(int volatile *)((uintptr_t)victim & ~(uintptr_t)3) = 0; }

//--- victim.c
int victim(int x) { return x + 1; }
