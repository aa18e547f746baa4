/* Of two tentative definitions the stricter alignment holds, and small ones between do not disturb it. */
// flags: -fcommon
// call: aligned() = 1i32
#include <stdint.h>
char filler;
char block[64];
extern char *where(void);
int aligned(void) { filler = 1; return ((uintptr_t)where() & 63) == 0 && where() == block; }

//--- strict.c
char odd;
__attribute__((aligned(64))) char block[64];
char *where(void) { char *p = block; __asm__ volatile("" : "+r"(p)); return p + odd; }
