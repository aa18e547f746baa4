/* ARM code that calls Thumb code directly: the BL becomes a BLX. */
// arch: armv7
// flags(arm.c): -marm
// flags(thumb.c): -mthumb
// call: caller(4i32) = 41i32
// covers: R_ARM_CALL
//--- arm.c
int callee(int);
int caller(int x) { return callee(x) + 1; }

//--- thumb.c
int callee(int x) { return 10 * x; }
