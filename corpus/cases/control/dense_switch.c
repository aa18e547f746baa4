/* A dense switch: the compiler makes a table of code addresses or of offsets from one. */
// for: LAYOUT = normal sections
// call: pick(0i32) = 11i32
// call: pick(3i32) = 17i32
// call: pick(7i32) = 31i32
// call: pick(8i32) = -1i32
// call: pick(-1i32) = -1i32
#define normal
#define sections __attribute__((section(".text.apart")))
int f(int);
LAYOUT int pick(int i) {
  switch (i) {
  case 0: return f(10); case 1: return f(12); case 2: return f(13); case 3: return f(16);
  case 4: return f(18); case 5: return f(22); case 6: return f(28); case 7: return f(30);
  default: return -1;
  }
}

//--- f.c
int f(int x) { return x + 1; }
