/* A call from one object to another and back: the plainest branch relocation. */
// call: add_twice(2i32, 3i32) = 10i32
// covers(armv7): R_ARM_CALL
// covers(thumbv7): R_ARM_THM_CALL
// covers(aarch64): R_AARCH64_CALL26
int add(int, int);
int twice(int x) { return x + x; }
int add_twice(int a, int b) { return twice(add(a, b)); }

//--- add.c
int add(int a, int b) { return a + b; }
