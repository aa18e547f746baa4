/* Integers of two sizes, a floating-point value and pointers, as the letters of a string say. */
// call: run() = 10002007i64
long long collect(const char *kinds, ...);
static const int seven = 7;
long long run(void) { return collect("ildp", 1000, 10000000ll, 1000.5, &seven); }

//--- collect.c
#include <stdarg.h>
long long collect(const char *kinds, ...) {
  va_list list;
  long long s = 0;
  va_start(list, kinds);
  for (; *kinds; kinds++)
    if (*kinds == 'i') s += va_arg(list, int);
    else if (*kinds == 'l') s += va_arg(list, long long);
    else if (*kinds == 'd') s += (long long)va_arg(list, double);
    else s += *va_arg(list, const int *);
  va_end(list);
  return s;
}
