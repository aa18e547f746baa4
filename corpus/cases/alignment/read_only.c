/* A strictly aligned constant: read-only data has its alignment too. */
// call: aligned() = 1i32
// call: sum() = 10i32
#include <stdint.h>
extern const int *where(void);
int aligned(void) { return ((uintptr_t)where() & 255) == 0; }
int sum(void) { const int *p = where(); return p[0] + p[1] + p[2] + p[3]; }

//--- strict.c
const char spoiler[3] = "ab";
__attribute__((aligned(256))) const int strict[4] = {1, 2, 3, 4};
const int *where(void) { const int *p = strict; __asm__ volatile("" : "+r"(p)); return p; }
