/* Conversions between integers and floating point; some are instructions, others are calls to helpers. */
// call: to_int(-2.75f64) = -2i32
// call: to_long(4294967298.5f64) = 4294967298i64
// call: from_long(-8589934592i64) = -8589934592f64
// call: from_unsigned(4000000000u32) = 4000000000f64
// call: narrow(0.5f64) = 0.5f32
int to_int(double x) { return (int)x; }
long long to_long(double x) { return (long long)x; }
double from_long(long long x) { return (double)x; }
double from_unsigned(unsigned x) { return x; }
float narrow(double x) { return (float)x; }
