/* Floating point on cores without it: every operation is a call to a helper. The value is scaled to an integer at the end. */
// arch: armv6 thumbv6m thumbv7m
// call: scaled(4i32) = 6500i32
// call: compare(3i32) = 1i32
double factor(void);
int scaled(int x) { return (int)((x * factor() + 0.5) * 1000.0); }
int compare(int x) { return (double)x > 2.5 && (float)x < 3.5f; }

//--- factor.c
static volatile double stored = 1.5;
double factor(void) { return stored; }
