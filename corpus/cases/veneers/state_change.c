/* Far calls from ARM to Thumb code and back: the veneer also changes the state. */
// arch: armv7
// layout: far
// flags(arm.c): -marm
// flags(thumb.c): -mthumb
// call: down(10i32) = 55i32
//--- arm.c
int up(int);
int down(int n) { return n == 0 ? 0 : n + up(n - 1); }

//--- thumb.c
int down(int);
int up(int n) { return n == 0 ? 0 : n + down(n - 1); }
