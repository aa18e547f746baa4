/* Static C++ objects in two object files: constructed in link order, and within a file from top to bottom. */
// flags: -fno-exceptions -fno-rtti -fno-threadsafe-statics
// call: order() = 123i32
typedef void (*function)();
extern "C" function __init_array_start[], __init_array_end[];
volatile int trace;
struct probe { int n; explicit probe(int n) : n(n) { trace = 10 * trace + n; } };
static probe one(1), two(2);
extern "C" int order() {
  if (!trace) for (function *p = __init_array_start; p != __init_array_end; p++) (*p)();
  return trace;
}

//--- three.cc
extern volatile int trace;
struct probe { int n; explicit probe(int n) : n(n) { trace = 10 * trace + n; } };
static probe three(3);
