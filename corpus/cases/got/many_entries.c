/* Twenty symbols, twenty entries: each must be the right one. */
// build: gcc -O2 -fPIC | clang -O2 -fPIC | gcc -O0 -fPIC | clang -O0 -fPIC
// call: sum(1i32) = 190i32
// call: sum(3i32) = 570i32
#define ALL X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19)
#define X(n) extern int v##n;
ALL
#undef X
int sum(int k) {
  int s = 0;
#define X(n) s += k * v##n;
  ALL
  return s;
}

//--- values.c
#define X(n) int v##n = n;
X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19)
