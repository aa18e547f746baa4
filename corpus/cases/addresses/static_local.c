/* Static variables inside functions: local symbols, reached through their section on some targets. */
// call: next() = 1i32
// call: next() = 2i32
// call: after() = 101i32
// call: next() = 3i32
// call: after() = 102i32
int next(void) { static int n; return ++n; }
int after(void) { static int n = 100; return ++n; }
