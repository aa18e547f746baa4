/* An IFUNC that nobody uses needs no slot, and its resolver is not run: it would abort. */
// call: use(5i32) = 6i32
void abort(void);
static void *choose(void) { abort(); }
int pick(int) __attribute__((ifunc("choose")));
int use(int x) { return x + 1; }
