/* The array of destructors is sorted by the same rule and run from its end: the highest priority number first. */
// call: order() = 4321i32
extern void (*__fini_array_start[])(void), (*__fini_array_end[])(void);
static volatile int trace;
static void note(int n) { trace = 10 * trace + n; }
__attribute__((destructor(300))) static void third(void) { note(3); }
__attribute__((destructor)) static void last(void) { note(4); }
__attribute__((destructor(101))) static void first(void) { note(1); }
__attribute__((destructor(200))) static void second(void) { note(2); }
int order(void) {
  for (void (**p)(void) = __fini_array_end; p != __fini_array_start;) (*--p)();
  return trace;
}
