/* Pointers to constructors in `.ctors`, as compilers wrote them before there were arrays: GNU ld runs them with the array, `.ctors.N` as
   priority 65535 - N, and those of one section from the last to the first. */
// call: order() = 123456i32
extern void (*__init_array_start[])(void), (*__init_array_end[])(void);
volatile int trace;
#define STEP(n) static void step##n(void) { trace = 10 * trace + n; }
STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6)
#define AT(name) __attribute__((section(name), used))
AT(".ctors.00100") static void (*second)(void) = step3;
AT(".ctors.65500") static void (*first)(void) = step1;
AT(".init_array.00050") static void (*array)(void) = step2;
AT(".ctors") static void (*several[])(void) = {step5, step4};
AT(".init_array") static void (*last)(void) = step6;
int order(void) {
  if (!trace) for (void (**p)(void) = __init_array_start; p != __init_array_end; p++) (*p)();
  return trace;
}
