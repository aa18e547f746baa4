/* Initialised variables of every width, read back through another object: placement and alignment of data. */
// call: check() = 31i32
// memory(little): half = 34 12
// memory(big): half = 12 34
// memory: word = 0x12345678i32
// memory: wide = 0x123456789abcdefi64
// memory: real = 1.5f64
extern signed char byte; extern short half; extern int word; extern long long wide; extern double real;
int check(void) {
  return (byte == -2) + 2 * (half == 0x1234) + 4 * (word == 0x12345678) + 8 * (wide == 0x123456789abcdefll) + 16 * (real == 1.5);
}

//--- values.c
signed char byte = -2; short half = 0x1234; int word = 0x12345678; long long wide = 0x123456789abcdefll; double real = 1.5;
