/* Variables and constants of another object on cores with and without MOVW: addresses come from literal pools. */
// arch: armv6 thumbv6m thumbv7m
// call: bump(5i32) = 47i32
// call: where() = &counter
// memory: counter = 47i32
// covers(armv6): R_ARM_ABS32
// covers(thumbv6m): R_ARM_ABS32
extern int counter;
extern const int limit;
int bump(int by) { counter += by; return counter < limit ? counter : limit; }
int *where(void) { return &counter; }

//--- counter.c
int counter = 42;
const int limit = 100;
