/* Alignment above a page for a variable without contents. */
// for: ALIGN = 32 8192
// call: aligned() = 1i32
// call: fill() = 6i32
#include <stdint.h>
extern char *where(void);
static char one;
int aligned(void) { one = 1; return (uintptr_t)where() % ALIGN == 0; }
int fill(void) { where()[0] = 2; where()[ALIGN + 4] = 4; return where()[0] + where()[ALIGN + 4] + where()[1]; }

//--- strict.c
static char spoiler[3];
__attribute__((aligned(ALIGN))) static char strict[ALIGN + 5];
char *where(void) { spoiler[1] = 1; char *p = strict; __asm__ volatile("" : "+r"(p)); return p; }
