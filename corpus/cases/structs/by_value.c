/* Structures of 4, 8, 12 and 16 bytes passed and returned by value between objects. */
// for: SIZE = 1 2 3 4
// call: check() = 1i32
struct s { int v[SIZE]; };
struct s shift(struct s, int);
int check(void) {
  struct s a;
  for (int i = 0; i < SIZE; i++) a.v[i] = 10 * i;
  struct s b = shift(a, 7);
  for (int i = 0; i < SIZE; i++) if (b.v[i] != 10 * i + 7 || a.v[i] != 10 * i) return 0;
  return 1;
}

//--- shift.c
struct s { int v[SIZE]; };
struct s shift(struct s a, int by) { for (int i = 0; i < SIZE; i++) a.v[i] += by; return a; }
