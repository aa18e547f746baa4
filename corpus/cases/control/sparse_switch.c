/* A sparse switch: comparisons and branches, and a call in each arm. */
// call: pick(1i32) = 2i32
// call: pick(1000i32) = 2000i32
// call: pick(-70000i32) = -140000i32
// call: pick(5i32) = 0i32
int twice(int);
int pick(int i) {
  switch (i) {
  case 1: return twice(1); case 1000: return twice(1000); case -70000: return twice(-70000); case 123456789: return twice(4);
  default: return 0;
  }
}

//--- twice.c
int twice(int x) { return x * 2; }
