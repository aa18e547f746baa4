/* A function that the program defines itself is not taken from the host. */
// call: use() = 1042i32
// prints: "mine\n"
int puts(const char *);
int atoi_like(const char *);
void *malloc(__SIZE_TYPE__);
extern char pool[];
int use(void) { puts("mine"); return (malloc(4) == pool ? 1000 : 0) + atoi_like("42"); }

//--- mine.c
char pool[64];
void *malloc(__SIZE_TYPE__ n) { return n ? pool : 0; }
int atoi_like(const char *s) { int v = 0; while (*s) v = 10 * v + *s++ - '0'; return v; }
