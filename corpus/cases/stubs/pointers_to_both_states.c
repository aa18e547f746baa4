/* A table with functions of both states: the lowest bit of each entry says which, and the calls through it switch. */
// arch: armv7 thumbv7
// flags(arm.c): -marm
// flags(thumb.c): -mthumb
// call: run(0i32, 5i32) = 6i32
// call: run(1i32, 5i32) = 10i32
// call: low_bits() = 2i32
// call: entry(0i32) = &in_arm
// call: entry(1i32) = &in_thumb
// covers: R_ARM_ABS32
int in_arm(int), in_thumb(int);
int (*const table[])(int) = {in_arm, in_thumb};
int run(int i, int x) { return table[i](x); }
int low_bits(void) { return ((unsigned long)table[0] & 1) + 2 * ((unsigned long)table[1] & 1); }
int (*entry(int i))(int) { return table[i]; }

//--- arm.c
int in_arm(int x) { return x + 1; }

//--- thumb.c
int in_thumb(int x) { return x * 2; }
