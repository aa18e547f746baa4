/* A hidden function is called directly even in position-independent code: no table entry is needed, the branch binds here. */
// call: outer(4i32) = 13i32
// covers(armv7): R_ARM_CALL
// covers(thumbv7): R_ARM_THM_CALL
// covers(aarch64): R_AARCH64_CALL26
__attribute__((visibility("hidden"))) int inner(int);
int outer(int x) { return inner(x) + 1; }

//--- inner.c
__attribute__((visibility("hidden"))) int inner(int x) { return 3 * x; }
