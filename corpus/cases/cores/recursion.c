/* Recursion over two objects. */
// arch: armv6 thumbv6m thumbv7m
// call: ackermann(2u32, 3u32) = 9u32
unsigned step(unsigned, unsigned);
unsigned ackermann(unsigned m, unsigned n) { return m == 0 ? n + 1 : step(m, n); }

//--- step.c
unsigned ackermann(unsigned, unsigned);
unsigned step(unsigned m, unsigned n) { return n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1)); }
