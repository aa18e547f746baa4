/* Calls in tail position: the optimiser makes jumps of them, which have a relocation of their own. */
// call: first(5i32) = 16i32
// covers(aarch64): R_AARCH64_JUMP26 R_AARCH64_CALL26
// covers(armv7): R_ARM_JUMP24 R_ARM_CALL
// covers(thumbv7): R_ARM_THM_JUMP24 R_ARM_THM_CALL
int second(int);
int first(int x) { return second(x + 1); }

//--- second.c
int third(int);
int second(int x) { return third(x + 2); }

//--- third.c
int third(int x) { return x * 2; }
