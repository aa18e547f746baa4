/* Divisions, and products and shifts of 64 bits: calls to helpers where the core has no instruction. */
// arch: armv6 thumbv6m thumbv7m
// call: divide(-17i32, 5i32) = -3i32
// call: modulo(17u32, 5u32) = 2u32
// call: wide_divide(1000000000000i64, 7i64) = 142857142857i64
// call: product(100000i32, 100000i32) = 10000000000i64
// call: shift(1i64, 40i32) = 1099511627776i64
int divide(int a, int b) { return a / b; }
unsigned modulo(unsigned a, unsigned b) { return a % b; }
long long wide_divide(long long a, long long b) { return a / b; }
long long product(int a, int b) { return (long long)a * b; }
long long shift(long long a, int by) { return a << by; }
