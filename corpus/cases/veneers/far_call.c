/* A call to a defined function beyond the reach of the branch: the linker must put a veneer on the way. */
// layout: far near
// call: use(4i32) = 17i32
// covers(armv7): R_ARM_CALL
// covers(thumbv7): R_ARM_THM_CALL
// covers(aarch64): R_AARCH64_CALL26
int callee(int);
int use(int x) { int r = callee(x); __asm__ volatile(""); return r + 1; }

//--- callee.c
int callee(int x) { return 4 * x; }
