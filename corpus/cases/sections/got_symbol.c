/* _GLOBAL_OFFSET_TABLE_ has one value in a program, which is not zero once there is a table. */
// build: gcc -O2 -fPIC | clang -O2 -fPIC
// call: check() = 3i32
__attribute__((visibility("hidden"))) extern char _GLOBAL_OFFSET_TABLE_[];
extern int value;
char *there(void);
int check(void) {
  char *here = _GLOBAL_OFFSET_TABLE_;
  __asm__ volatile("" : "+r"(here));
  return (here == there()) + 2 * (here != 0) + value;
}

//--- there.c
__attribute__((visibility("hidden"))) extern char _GLOBAL_OFFSET_TABLE_[];
int value;
char *there(void) { return _GLOBAL_OFFSET_TABLE_; }
