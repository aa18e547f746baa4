/* A variable with a large alignment, up to many pages, after one that spoils the alignment. */
// for: ALIGN = 16 64 4096 16384 65536
// call: aligned() = 1i32
// call: value() = 5i32
#include <stdint.h>
extern char *where(void);
char spoiler = 1;
int aligned(void) { return (uintptr_t)where() % ALIGN == 0; }
int value(void) { return *where() * spoiler; }

//--- strict.c
char before = 2;
__attribute__((aligned(ALIGN))) char strict = 5;
char after = 3;
char *where(void) { char *p = &strict; __asm__ volatile("" : "+r"(p)); return p; }
