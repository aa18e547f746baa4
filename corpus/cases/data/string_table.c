/* Pointers to strings: entries into merged read-only sections, by section symbol and addend. */
// call: name(0i32) = void
// call: initial(0i32) = 122i32
// call: initial(1i32) = 111i32
// call: initial(2i32) = 116i32
// call: sum() = 15i32
#include <stddef.h>
size_t strlen(const char *);
static const char *const names[] = {"zero", "one", "two", "three", ""};
const char *name(int i) { return names[i]; }
int initial(int i) { return names[i][0]; }
int sum(void) { int s = 0; for (int i = 0; i < 5; i++) s += (int)strlen(names[i]); return s; }
