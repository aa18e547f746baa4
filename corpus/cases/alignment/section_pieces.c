/* Pieces of one section from three objects with alignments 1, 16 and 4: each keeps its own. */
// call: offsets() = 7i32
#include <stdint.h>
extern char *a(void), *b(void), *c(void);
int offsets(void) { return (*a() == 1) + 2 * (((uintptr_t)b() & 15) == 0 && *b() == 2) + 4 * (((uintptr_t)c() & 3) == 0 && *c() == 3); }

//--- a.c
__attribute__((section(".data.piece"))) char in_a = 1;
char *a(void) { char *p = &in_a; __asm__ volatile("" : "+r"(p)); return p; }

//--- b.c
__attribute__((section(".data.piece"), aligned(16))) char in_b = 2;
char *b(void) { char *p = &in_b; __asm__ volatile("" : "+r"(p)); return p; }

//--- c.c
__attribute__((section(".data.piece"), aligned(4))) char in_c = 3;
char *c(void) { char *p = &in_c; __asm__ volatile("" : "+r"(p)); return p; }
