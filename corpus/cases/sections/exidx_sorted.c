/* The table of unwind entries on ARM follows the order of the code, whatever the order of the objects: it is searched by halves. */
// arch: armv7 thumbv7
// layout: near
// flags: -funwind-tables -ffunction-sections
// call: sorted() = 1i32
// call: found() = 3i32
// covers: R_ARM_PREL31
#include <stdint.h>
extern const uint32_t __exidx_start[], __exidx_end[];
int alpha(int), beta(int);
static uintptr_t function(const uint32_t *e) { return (uintptr_t)e + (uintptr_t)((int32_t)(*e << 1) >> 1); }
int sorted(void) {
  for (const uint32_t *e = __exidx_start + 2; e < __exidx_end; e += 2)
    if (function(e - 2) >= function(e)) return 0;
  return 1;
}
static int covered(uintptr_t pc) {
  const uint32_t *e = __exidx_start, *best = 0;
  for (pc &= ~(uintptr_t)1; e < __exidx_end; e += 2)
    if (function(e) <= pc) best = e;
  return best && pc - (function(best) & ~(uintptr_t)1) < 0x1000;
}
int found(void) { return covered((uintptr_t)alpha) + 2 * covered((uintptr_t)beta) + alpha(0) + beta(0); }

//--- alpha.c
int beta(int);
int alpha(int x) { return x ? beta(x - 1) + 1 : 0; }

//--- beta.c
int alpha(int);
int beta(int x) { return x ? alpha(x - 1) + 1 : 0; }
