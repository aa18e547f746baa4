/* A pointer to before a symbol: the negative addend of a data relocation must be read with its sign. */
// for: BACK = 1 4 4096 65537
// call: right() = 1i32
extern char base[];
extern char *const *reader(void);
char *const pointer = base - BACK;
int right(void) { return *reader() + BACK == base; }

//--- base.c
char base[16] = {1};
extern char *const pointer;
char *const *reader(void) { return &pointer; }
