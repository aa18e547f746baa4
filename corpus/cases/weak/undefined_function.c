/* A weak function that does not exist: its address is zero, and the program asks before it calls. */
// call: use(5i32) = 6i32
__attribute__((weak)) int optional(int);
int present(int);
int use(int x) { return optional ? optional(x) : present(x); }

//--- present.c
int present(int x) { return x + 1; }
