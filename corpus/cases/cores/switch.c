/* A switch without tables: comparisons and short branches inside a function, calls out of it. */
// arch: armv6 thumbv6m thumbv7m
// flags: -fno-jump-tables
// call: pick(0i32) = 11i32
// call: pick(4i32) = 19i32
// call: pick(6i32) = -1i32
int f(int);
int pick(int i) {
  switch (i) {
  case 0: return f(10); case 1: return f(12); case 2: return f(13); case 3: return f(16); case 4: return f(18); case 5: return f(22);
  default: return -1;
  }
}

//--- f.c
int f(int x) { return x + 1; }
