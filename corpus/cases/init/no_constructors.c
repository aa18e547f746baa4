/* With no constructors at all both arrays are empty, and their symbols are still there. */
// call: empty() = 1i32
extern void *__init_array_start[], *__init_array_end[], *__fini_array_start[], *__fini_array_end[];
int empty(void) {
  void **a = __init_array_start, **b = __init_array_end, **c = __fini_array_start, **d = __fini_array_end;
  __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d));
  return a == b && c == d;
}
