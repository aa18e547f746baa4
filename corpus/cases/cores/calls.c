/* Calls between objects, direct, in tail position and through pointers. */
// arch: armv6 thumbv6m thumbv7m
// call: use(4i32) = 39i32
// covers(armv6): R_ARM_CALL
// covers(thumbv6m): R_ARM_THM_CALL
// covers(thumbv7m): R_ARM_THM_CALL
int twice(int), triple(int);
static int (*const table[])(int) = {twice, triple};
int use(int x) { return twice(x) + triple(x) + table[1](x) + table[0](x) - 1; }

//--- more.c
int triple(int);
int twice(int x) { return 2 * x; }
int triple(int x) { return twice(x) + x; }
