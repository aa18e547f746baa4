/* The names for the ends of code, data and zero-fill come in two spellings, with one value each. */
// call: same() = 7i32
extern char end[], _end[], edata[], _edata[], etext[], _etext[];
static int eq(char *a, char *b) { __asm__ volatile("" : "+r"(a), "+r"(b)); return a == b; }
int same(void) { return eq(end, _end) + 2 * eq(edata, _edata) + 4 * eq(etext, _etext); }
