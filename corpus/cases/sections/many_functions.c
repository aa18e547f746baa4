/* Sixty-four functions in sections of their own, called through a table: many small sections in one object. */
// flags: -ffunction-sections
// call: sum(1i32) = 2080i32
// call: one(63i32, 7i32) = 70i32
#define F(n) int f##n(int x) { return x + n; }
#define F8(a, b, c, d, e, f, g, h) F(a) F(b) F(c) F(d) F(e) F(f) F(g) F(h)
F8(0, 1, 2, 3, 4, 5, 6, 7) F8(8, 9, 10, 11, 12, 13, 14, 15) F8(16, 17, 18, 19, 20, 21, 22, 23)
F8(24, 25, 26, 27, 28, 29, 30, 31) F8(32, 33, 34, 35, 36, 37, 38, 39) F8(40, 41, 42, 43, 44, 45, 46, 47)
F8(48, 49, 50, 51, 52, 53, 54, 55) F8(56, 57, 58, 59, 60, 61, 62, 63)
#undef F
#define F(n) f##n,
static int (*const table[])(int) = {
F8(0, 1, 2, 3, 4, 5, 6, 7) F8(8, 9, 10, 11, 12, 13, 14, 15) F8(16, 17, 18, 19, 20, 21, 22, 23)
F8(24, 25, 26, 27, 28, 29, 30, 31) F8(32, 33, 34, 35, 36, 37, 38, 39) F8(40, 41, 42, 43, 44, 45, 46, 47)
F8(48, 49, 50, 51, 52, 53, 54, 55) F8(56, 57, 58, 59, 60, 61, 62, 63)};
int one(int i, int x) { return table[i](x); }
int sum(int x) { int s = 0; for (int i = 0; i < 64; i++) s += table[i](x); return s; }
