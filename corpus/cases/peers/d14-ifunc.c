/* Defect 14: a symbol of type STT_GNU_IFUNC: called and by pointer, in its own object and from another. */
// call: use(5i32) = 11i32
// call: by_pointer(5i32) = 12i32
static int twice(int x) { return 2 * x; }
static void *choose(void) { return (void *)twice; }
int pick(int) __attribute__((ifunc("choose")));
int use(int x) { return pick(x) + 1; }

//--- other.c
int pick(int);
static int (*volatile pointer)(int) = pick;
int by_pointer(int x) { return pointer(x) + 2; }
