/* malloc, calloc, realloc and free: what was written stays, calloc's memory is zero, blocks do not overlap. */
// call: use(10i32) = 145i32
// call: zeroed() = 1i32
#include <stddef.h>
void *malloc(size_t); void *calloc(size_t, size_t); void *realloc(void *, size_t); void free(void *);
int *make(int);
int use(int n) {
  int *a = make(n), *b = malloc(40), s = 0;
  for (int i = 0; i < 10; i++) b[i] = 10;
  a = realloc(a, 1000);
  for (int i = 0; i < n; i++) s += a[i] + b[i];
  free(a); free(b);
  return s;
}
int zeroed(void) { char *p = calloc(16, 4); int or = 0; for (int i = 0; i < 64; i++) or |= p[i]; free(p); return or == 0; }

//--- make.c
#include <stddef.h>
void *malloc(size_t);
int *make(int n) { int *p = malloc((size_t)n * sizeof *p); for (int i = 0; i < n; i++) p[i] = i; return p; }
