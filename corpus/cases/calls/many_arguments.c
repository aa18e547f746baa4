/* Twelve arguments: some of them in registers, the others on the stack, through a call between objects. */
// call: spread() = 650i32
// call: weigh(1i32, 1i32, 1i32, 1i32, 1i32, 1i32, 1i32, 1i32, 1i32, 1i32, 1i32, 1i32) = 78i32
int weigh(int, int, int, int, int, int, int, int, int, int, int, int);
int spread(void) { return weigh(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12); }

//--- weigh.c
int weigh(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j, int k, int l) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j + 11 * k + 12 * l;
}
