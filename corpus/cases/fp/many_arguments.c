/* More floating-point arguments than registers: the rest is on the stack. */
// call: ten() = 385f64
double weigh(double, double, double, double, double, double, double, double, double, double);
double ten(void) { return weigh(1, 2, 3, 4, 5, 6, 7, 8, 9, 10); }

//--- weigh.c
double weigh(double a, double b, double c, double d, double e, double f, double g, double h, double i, double j) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j;
}
