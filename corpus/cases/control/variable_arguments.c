/* A function with a variable number of arguments, in registers and on the stack, called from another object. */
// call: three() = 6i32
// call: twelve() = 78i32
int sum(int n, ...);
int three(void) { return sum(3, 1, 2, 3); }
int twelve(void) { return sum(12, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12); }

//--- sum.c
#include <stdarg.h>
int sum(int n, ...) {
  va_list list;
  int s = 0;
  va_start(list, n);
  while (n--) s += va_arg(list, int);
  va_end(list);
  return s;
}
