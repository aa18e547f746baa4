/* Widths and precisions of any size, arguments by position, and how long the text would have been. */
// build: gcc -O2 -fno-pic -fno-builtin | clang -O2 -fno-pic -fno-builtin
// call: lengths() = 2000000007i32
// call: too_long() = -1i32
// call: said(1.5f64) = 14i32
// prints: "b a 00000001 0x1.8p+0 1.50|"
int printf(const char *, ...);
int snprintf(char *, __SIZE_TYPE__, const char *, ...);
extern const char *const formats[];
char room[4];
int lengths(void) { return snprintf(room, sizeof room, formats[0], 1, 5); }
int too_long(void) { return snprintf(room, sizeof room, formats[1], 1); }
int said(double x) {
  printf(formats[2], "a", "b");
  printf("%.8d ", 1);
  return printf("%a %.*f|", x, 2, x);
}

//--- formats.c
const char *const formats[] = {"%.2000000000d %5d\n", "%2147483648d", "%2$s %1$s "};
