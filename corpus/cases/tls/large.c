/* More thread-local variables than a megabyte, and one that is aligned to more than a page. */
// layout: near far
// build: gcc -O2 -fno-pic | clang -O2 -fno-pic
// call: fill() = 42i32
_Thread_local char scratch[1 << 20];
_Thread_local int initial = 40;
_Thread_local char aligned[16384] __attribute__((aligned(16384)));
extern int touch(char *first, char *last);
int fill(void) {
  int misplaced = ((__UINTPTR_TYPE__)aligned & 16383) != 0;
  return initial + touch(scratch, scratch + sizeof scratch - 1) + aligned[16383] + misplaced;
}

//--- touch.c
int touch(char *first, char *last) {
  *first = 1;
  *last = 1;
  return *first + *last;
}
