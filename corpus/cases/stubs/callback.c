/* An ARM function handed to Thumb code, which calls it back, and the other way about. */
// arch: armv7
// flags(arm.c): -marm
// flags(thumb.c): -mthumb
// call: from_arm(3i32) = 32i32
// call: from_thumb(3i32) = 63i32
//--- arm.c
int apply_in_thumb(int (*)(int), int);
static int plus(int x) { return x + 1; }
int from_arm(int x) { return 8 * apply_in_thumb(plus, x); }
int apply_in_arm(int (*f)(int), int x) { return 10 * f(x) + 3; }

//--- thumb.c
int apply_in_arm(int (*)(int), int);
static int twice(int x) { return x * 2; }
int apply_in_thumb(int (*f)(int), int x) { return f(x); }
int from_thumb(int x) { return apply_in_arm(twice, x); }
