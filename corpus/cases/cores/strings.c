/* Strings and a table of them, searched. */
// arch: armv6 thumbv6m thumbv7m
// call: find("two") = 2i32
// call: find("four") = -1i32
extern const char *const names[3];
static int equal(const char *a, const char *b) { while (*a && *a == *b) a++, b++; return *a == *b; }
int find(const char *s) { for (int i = 0; i < 3; i++) if (equal(s, names[i])) return i; return -1; }

//--- names.c
const char *const names[3] = {"zero", "one", "two"};
