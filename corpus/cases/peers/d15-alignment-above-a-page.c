/* Defect 15: a section aligned to more than a page. */
// build: gcc -O0 -fno-pic | gcc -O2 -fPIC | clang -O2 -fno-pic | clang -O0 -fPIC
// for: ALIGN = 8192 65536 1048576
// call: aligned() = 1i32
// call: read() = 9i32
#include <stdint.h>
char spoiler = 1;
__attribute__((aligned(ALIGN))) int strict = 9;
extern int *where(void);
int aligned(void) { return (uintptr_t)where() % ALIGN == 0; }
int read(void) { return *where(); }

//--- where.c
extern int strict;
int *where(void) { return &strict; }
