/* A weak reference to what exists is an ordinary reference. */
// call: use(5i32) = 46i32
__attribute__((weak)) int optional(int);
extern int setting __attribute__((weak));
int use(int x) { return (optional ? optional(x) : 0) + (&setting ? setting : 0); }

//--- present.c
int optional(int x) { return x + 1; }
int setting = 40;
