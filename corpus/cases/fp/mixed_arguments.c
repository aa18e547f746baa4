/* Integers and floating-point values in one call: they travel in different registers. */
// call: mix(1i32, 2.5f64, 3i64, 4.5f32) = 11f64
// call: relay(1i32) = 11f64
double mix(int, double, long long, float);
double relay(int x) { return mix(x, 2.5, 3, 4.5f); }

//--- mix.c
double mix(int a, double b, long long c, float d) { return a + b + (double)c + d; }
