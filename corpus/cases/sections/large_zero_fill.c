/* Four megabytes of zero-fill: they take no room in the object, and both ends can be used. */
// build: gcc -O0 -fno-pic | gcc -O2 -fPIC | clang -O2 -fno-pic | clang -O0 -fPIC
// call: touch(5i32) = 10i32
// call: middle() = 0i32
extern char area[4 << 20];
int touch(int v) { area[0] = (char)v; area[sizeof area - 1] = (char)v; return area[0] + area[sizeof area - 1]; }
int middle(void) { return area[2 << 20]; }

//--- area.c
char area[4 << 20];
