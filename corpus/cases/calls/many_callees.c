/* One function that calls N others, generated: every call site must reach its own callee. */
// for: LAST = 3 9
// call: sum() = 1i32
// call: f9(1i32) = 10i32
int f0(int), f1(int), f2(int), f3(int), f4(int), f5(int), f6(int), f7(int), f8(int), f9(int);
int want(int);
int sum(void) {
  int s = f0(1) + f1(1) + f2(1) + f3(1);
#if LAST == 9
  s += f4(1) + f5(1) + f6(1) + f7(1) + f8(1) + f9(1);
#endif
  return s == want(LAST);
}

//--- callees.c
#define F(n) int f##n(int x) { return x + n; }
F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9)

//--- want.c
int want(int last) { int s = 0; for (int i = 0; i <= last; i++) s += i + 1; return s; }
