/* Two IFUNCs with resolvers that look at a variable of another object: the resolvers run after the data is in place. */
// call: use(5i32) = 1540i32
extern const int level;
static int low(int x) { return x; }
static int high(int x) { return 100 * x; }
static void *choose_a(void) { return level > 2 ? (void *)high : (void *)low; }
static void *choose_b(void) { return level > 5 ? (void *)high : (void *)low; }
int a(int) __attribute__((ifunc("choose_a")));
int b(int) __attribute__((ifunc("choose_b")));

//--- use.c
const int level = 4;
int a(int), b(int);
int use(int x) { return 3 * a(x) + 8 * b(x); }
