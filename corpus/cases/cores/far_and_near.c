/* The same calls out of reach: veneers of cores with and without a second state. */
// arch: armv6 thumbv6m thumbv7m
// layout: far
// call: down(10i32) = 55i32
int up(int);
int down(int n) { return n == 0 ? 0 : n + up(n - 1); }

//--- up.c
int down(int);
int up(int n) { return n == 0 ? 0 : n + down(n - 1); }
