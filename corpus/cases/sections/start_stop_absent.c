/* Weak references to the bounds of a section that does not exist are zero, and the loop over it does not run. */
// call: count() = 0i32
extern int __start_absent[] __attribute__((weak)), __stop_absent[] __attribute__((weak));
int count(void) {
  int n = 0;
  int *p = __start_absent, *end = __stop_absent;
  __asm__ volatile("" : "+r"(p), "+r"(end));
  for (; p != end; p++) n++;
  return n + (p != 0);
}
