/* Constructors run by priority, and those without one last. `order` runs the array itself when nobody has done it yet. */
// call: order() = 1234i32
extern void (*__init_array_start[])(void), (*__init_array_end[])(void);
static volatile int trace;
static void note(int n) { trace = 10 * trace + n; }
__attribute__((constructor(300))) static void third(void) { note(3); }
__attribute__((constructor)) static void last(void) { note(4); }
__attribute__((constructor(101))) static void first(void) { note(1); }
__attribute__((constructor(200))) static void second(void) { note(2); }
int order(void) {
  if (!trace) for (void (**p)(void) = __init_array_start; p != __init_array_end; p++) (*p)();
  return trace;
}
