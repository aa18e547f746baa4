/* A buffer handed in from outside is reversed in place and summed by the other object. */
// call: weigh("abc") = 586i32
// call: weigh("") = 0i32
// call: sum([1i32, 2i32, 3i32], 3i32) = 6i32
#include <stddef.h>
int weigh_reversed(const char *, size_t);
size_t strlen(const char *);
int sum(const int *v, int n) { int s = 0; while (n--) s += v[n]; return s; }
int weigh(const char *s) { return weigh_reversed(s, strlen(s)); }

//--- weigh.c
#include <stddef.h>
static char scratch[64];
int weigh_reversed(const char *s, size_t n) {
  int w = 0;
  for (size_t i = 0; i < n; i++) scratch[i] = s[n - 1 - i];
  for (size_t i = 0; i < n; i++) w += (int)(i + 1) * scratch[i];
  return w;
}
