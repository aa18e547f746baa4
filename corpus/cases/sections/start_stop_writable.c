/* The same for writable and for zero-filled sections: the bounds enclose what was written. */
// call: fill(3i32) = 9i32
// call: bytes() = 12i32
extern int __start_counters[], __stop_counters[];
__attribute__((section("counters"), used)) static int mine;
int more(void);
int fill(int v) {
  int s = more();
  for (int *p = __start_counters; p != __stop_counters; p++) { *p = v; s += *p; }
  return s;
}
int bytes(void) { return (int)((char *)__stop_counters - (char *)__start_counters); }

//--- more.c
__attribute__((section("counters"), used)) static int two, three;
int more(void) { return two + three; }
