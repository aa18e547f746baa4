/* 64-bit values beside 32-bit ones: on ARM they take even register pairs, and the one that does not fit goes to the stack. */
// call: mix(1i32, 0x100000002i64, 3i32, 0x500000000i64) = 0x600000006i64
// call: relay(7i32) = 0x200000009i64
long long mix(int, long long, int, long long);
long long relay(int x) { return mix(x, 0x100000000ll, 2, 0x100000000ll); }

//--- mix.c
long long mix(int a, long long b, int c, long long d) { return a + b + c + d; }
