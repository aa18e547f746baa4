/* A static IFUNC, used only in its own object. */
// call: use(5i32) = 11i32
static int twice(int x) { return 2 * x; }
static void *choose(void) { return (void *)twice; }
static int pick(int) __attribute__((ifunc("choose")));
int use(int x) { return pick(x) + 1; }
