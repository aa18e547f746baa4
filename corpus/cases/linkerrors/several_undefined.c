/* Three missing symbols in two objects: one error that lists them all. */
// layout: near
// call: use(1i32) = 1i32
// link-error: undefined symbol: missing_one
// link-error: undefined symbol: missing_two
// link-error: undefined symbol: missing_three
int missing_one(int), missing_two(int), other(int);
int use(int x) { return missing_one(x) + missing_two(x) + other(x); }

//--- other.c
int missing_one(int);
extern int missing_three;
int other(int x) { return missing_one(x) + missing_three; }
