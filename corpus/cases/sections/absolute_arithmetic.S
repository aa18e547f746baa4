/* A global symbol that is the difference of two labels: a number known to the assembler, used by another object as an address. */
// build: gcc -O0 -fPIC | gcc -O2 -fPIC | clang -O2 -fPIC | clang -O0 -fPIC
// call: size() = 24u32
// call: end_by_sum() = &table+24
    .globl table, table_size
    .data
    .p2align 3
table:
    .word 1, 2, 3, 4, 5, 6
table_end:
    .set table_size, table_end - table

//--- user.c
#include <stdint.h>
extern char table[], table_size[];
unsigned size(void) { return (unsigned)(uintptr_t)table_size; }
char *end_by_sum(void) { return table + (uintptr_t)table_size; }
