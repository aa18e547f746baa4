/* The pre-init array comes before all constructors and keeps the order in which it is written. */
// call: entries() = 2i32
// call: run() = 12i32
#include <stdint.h>
typedef void (*function)(void);
extern function __preinit_array_start[], __preinit_array_end[];
static volatile int trace;
static void one(void) { trace = 10 * trace + 1; }
static void two(void) { trace = 10 * trace + 2; }
__attribute__((section(".preinit_array"), used)) static function const list[] = {one, two};
int entries(void) { return (int)(((uintptr_t)__preinit_array_end - (uintptr_t)__preinit_array_start) / sizeof(function)); }
int run(void) {
  trace = 0;
  for (function *p = __preinit_array_start; p != __preinit_array_end; p++) (*p)();
  return trace;
}
