/* Variable arguments of 32 and 64 bits. */
// arch: armv6 thumbv6m thumbv7m
// call: run() = 4294967302i64
long long sum(const char *kinds, ...);
long long run(void) { return sum("ili", 1, 4294967299ll, 2); }

//--- sum.c
#include <stdarg.h>
long long sum(const char *kinds, ...) {
  va_list list;
  long long s = 0;
  va_start(list, kinds);
  for (; *kinds; kinds++) if (*kinds == 'l') s += va_arg(list, long long); else s += va_arg(list, int);
  va_end(list);
  return s;
}
