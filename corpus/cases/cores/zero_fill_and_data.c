/* Zero-filled and initialised arrays, far enough apart for every form of offset. */
// arch: armv6 thumbv6m thumbv7m
// call: fill(9i32) = 27i32
// memory: area+4000 = 9i32
extern int area[2000], initialised[600];
int fill(int v) { area[0] = v; area[1000] = v; initialised[599] = v; return area[0] + area[1000] + initialised[599] + area[1999]; }

//--- arrays.c
int area[2000], initialised[600] = {1};
