/* A heap that a program makes by itself, behind `end`, as newlib's `_sbrk` does. */
// layout: near
// build: gcc -O2 -fno-pic | clang -O2 -fno-pic
// call: grow(1000000i32) = 77i32
extern char end[];
static char *break_at = end;
char *more(int bytes);
int grow(int bytes) {
  char *block = more(bytes);
  block[0] = 70;
  block[bytes - 1] = 7;
  return block[0] + block[bytes - 1];
}
char *more(int bytes) {
  char *old = break_at;
  break_at += bytes;
  return old;
}
