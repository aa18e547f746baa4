/* Constructors of equal priority in three objects run in the order in which the objects are linked, the early one before all. */
// call: order() = 9123i32
extern void (*__init_array_start[])(void), (*__init_array_end[])(void);
volatile int trace;
__attribute__((constructor)) static void mine(void) { trace = 10 * trace + 1; }
int order(void) {
  if (!trace) for (void (**p)(void) = __init_array_start; p != __init_array_end; p++) (*p)();
  return trace;
}

//--- two.c
extern volatile int trace;
__attribute__((constructor)) static void mine(void) { trace = 10 * trace + 2; }

//--- three.c
extern volatile int trace;
__attribute__((constructor)) static void mine(void) { trace = 10 * trace + 3; }
__attribute__((constructor(500))) static void early(void) { trace = 10 * trace + 9; }
