/* A function that calls itself until the stack is used up: the access below it is called what it is. */
// layout: near
// build: gcc -O2 -fno-pic | clang -O2 -fno-pic
// call: small(3i32) = 6i32
// call: small(-1i32) = void
// fault: stack
int small(int);
int use(volatile char *room, int n);
int small(int n) {
  volatile char room[512];
  if (n == 0) return 0;
  return use(room, n) + small(n - 1);
}

//--- use.c
int use(volatile char *room, int n) {
  room[0] = (char)n;
  return n;
}
