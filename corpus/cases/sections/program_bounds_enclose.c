/* Laid out together, every function is below `etext`, every variable below `end`, zero-fill from `__bss_start` on. */
// layout: near
// call: inside() = 15i32
#include <stdint.h>
extern char end[], edata[], etext[], __bss_start[];
extern int initialised, zero;
int inside(void) {
  volatile uintptr_t f = (uintptr_t)inside, d = (uintptr_t)&initialised, z = (uintptr_t)&zero;
  return (f < (uintptr_t)etext) + 2 * (d < (uintptr_t)edata) + 4 * (z >= (uintptr_t)__bss_start) + 8 * (z < (uintptr_t)end);
}

//--- values.c
int initialised = 1, zero;
