/* A function whose implementation a resolver chooses when the program is loaded: calls go through the table. */
// call: use(5i32) = 50i32
static int ten(int x) { return 10 * x; }
static int one(int x) { return x; }
static int want_ten = 1;
static void *choose(void) { return want_ten ? (void *)ten : (void *)one; }
int pick(int) __attribute__((ifunc("choose")));

//--- use.c
int pick(int);
int use(int x) { return pick(x); }
