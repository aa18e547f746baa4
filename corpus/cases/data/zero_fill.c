/* Variables without initial values, static and global, of several sizes: they read as zero and keep what is written. */
// call: all_zero() = 1i32
// call: fill(7i32) = 21i32
// memory: large+4 = 7i32
extern int large[1000], one;
static char small[3];
int all_zero(void) {
  int or = one | small[0] | small[1] | small[2];
  for (int i = 0; i < 1000; i++) or |= large[i];
  return or == 0;
}
int fill(int v) { one = v; large[1] = v; small[1] = (char)v; return one + large[1] + small[1]; }

//--- storage.c
int large[1000], one;
