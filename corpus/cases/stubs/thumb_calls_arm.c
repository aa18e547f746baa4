/* Thumb code that calls ARM code directly: here too BL becomes BLX, whatever the alignment of the call site. */
// arch: thumbv7
// flags(arm.c): -marm
// flags(thumb.c): -mthumb
// call: caller(4i32) = 80i32
// covers: R_ARM_THM_CALL
//--- thumb.c
int callee(int);
int caller(int x) { int r = callee(x); r += callee(x); return r; }

//--- arm.c
int callee(int x) { return 10 * x; }
