/* -ffunction-sections: each function is a section, only what is reachable stays, and all references between them hold. */
// flags: -ffunction-sections -fdata-sections
// call: used(2i32) = 9i32
int counter = 4;
int unused_data = 1;
int missing(void) __attribute__((weak));
int unused(void) { return missing() + unused_data; }
static __attribute__((noinline)) int step(void) { return ++counter; }
int other(int);
int used(int x) { return step() + other(x); }

//--- other.c
int other(int x) { return 2 * x; }
int dead(int x) { return other(x); }
