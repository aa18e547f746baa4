/* Twelve arguments of changing size: most of them are read from the stack, with its alignment. */
// call: report() = void
// prints: "1 2 3 4 5 6 7 8 9 10 11 12\n"
int printf(const char *, ...);
void report(void) {
  printf("%d %lld %d %lld %d %d %lld %d %d %lld %d %lld\n", 1, 2ll, 3, 4ll, 5, 6, 7ll, 8, 9, 10ll, 11, 12ll);
}
