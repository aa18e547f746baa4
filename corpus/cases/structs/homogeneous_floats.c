/* Structures of floats and doubles travel in floating-point registers where there are some. */
// call: check() = 3i32
struct two { float x, y; };
struct four { double a, b, c, d; };
struct two swap(struct two);
double sum(struct four, struct two);
int check(void) {
  struct two t = swap((struct two){1.5f, 2.5f});
  return (t.x == 2.5f && t.y == 1.5f) + 2 * (sum((struct four){1, 2, 3, 4}, t) == 14.0);
}

//--- swap.c
struct two { float x, y; };
struct four { double a, b, c, d; };
struct two swap(struct two t) { return (struct two){t.y, t.x}; }
double sum(struct four f, struct two t) { return f.a + f.b + f.c + f.d + t.x + t.y; }
