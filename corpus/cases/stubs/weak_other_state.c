/* A weak function in ARM code replaced by one in Thumb code: the call takes the state of what it reaches in the end. */
// arch: armv7
// flags(user.c): -marm
// flags(strong.c): -mthumb
// call: use(2i32) = 22i32
//--- user.c
__attribute__((weak, noinline)) int pick(int x) { return x; }
int use(int x) { return pick(x) + x; }

//--- strong.c
int pick(int x) { return 10 * x; }
