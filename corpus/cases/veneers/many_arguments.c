/* A far call with all argument registers in use: a veneer may only spoil the registers the ABI leaves to it. */
// layout: far
// call: spread() = 204i32
// call: wide() = 36i64
int eight(int, int, int, int, int, int, int, int);
long long four(long long, long long, long long, long long, long long, long long, long long, long long);
int spread(void) { return eight(1, 2, 3, 4, 5, 6, 7, 8); }
long long wide(void) { return four(1, 2, 3, 4, 5, 6, 7, 8); }

//--- eight.c
int eight(int a, int b, int c, int d, int e, int f, int g, int h) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h;
}
long long four(long long a, long long b, long long c, long long d, long long e, long long f, long long g, long long h) {
  return a + b + c + d + e + f + g + h;
}
