/* Weak functions, replaced and missing. */
// arch: armv6 thumbv6m thumbv7m
// call: use(5i32) = 52i32
__attribute__((weak)) int optional(int);
__attribute__((weak)) int replaced(int x) { return x; }
int use(int x) { return (optional ? optional(x) : 2) + replaced(x); }

//--- strong.c
int replaced(int x) { return 10 * x; }
