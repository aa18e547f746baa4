/* Start-up code clears from __bss_start to _end, as many do: with no zero-fill in the program it clears nothing. */
// layout: near far high random:1 random:2 random:3
// call: start() = 42i32
// call: bounds() = 1i32
extern char __bss_start[], _end[], _edata[];
volatile int value = 40;
const volatile int constant = 2;
int start(void) {
  for (volatile char *p = __bss_start; p < _end; p++) *p = 0;
  return value + constant;
}
int bounds(void) { return (char *)&value < _edata && _edata <= _end; }

//--- second.c
volatile int other = 7;
