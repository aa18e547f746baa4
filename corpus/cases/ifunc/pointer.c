/* The address of an IFUNC: one value for everybody, and a call through it reaches the implementation. */
// call: same() = 1i32
// call: through(4i32) = 40i32
// call: stored(3i32) = 30i32
int pick(int);
int (*there(void))(int);
extern int (*const slot)(int);
int same(void) { int (*volatile f)(int) = pick; return f == there() && f == slot; }
int through(int x) { return there()(x); }
int stored(int x) { return slot(x); }

//--- pick.c
static int ten(int x) { return 10 * x; }
static void *choose(void) { return (void *)ten; }
int pick(int) __attribute__((ifunc("choose")));

//--- there.c
int pick(int);
int (*there(void))(int) { return pick; }
int (*const slot)(int) = pick;
