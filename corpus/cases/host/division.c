/* 64-bit divisions and shifts: on ARM they are calls to helpers, some of which return two values in four registers. */
// call: divide(1000000000000i64, 7i64) = 142857142857i64
// call: modulo(-1000000000000i64, 7i64) = -1i64
// call: udivide(0xffffffffffffffffu64, 10u64) = 1844674407370955161u64
// call: shift(1i64, 40i32) = 1099511627776i64
// call: small(-17i32, 5i32) = -32i32
long long divide(long long a, long long b) { return a / b; }
long long modulo(long long a, long long b) { return a % b; }
unsigned long long udivide(unsigned long long a, unsigned long long b) { return a / b; }
long long shift(long long a, int by) { return a << by; }
int small(int a, int b) { return a / b * 10 + a % b; }
