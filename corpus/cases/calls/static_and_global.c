/* Two functions called `helper`, one private to each object, and a global that each of them reaches: a call must bind
   to the symbol of its own object first. */
// call: left(1i32) = 111i32
// call: right(1i32) = 1021i32
int shared(int);
__attribute__((noinline)) static int helper(int x) { return shared(x) + 100; }
int left(int x) { return helper(x); }

//--- right.c
int shared(int x) { return x + 10; }
__attribute__((noinline)) static int helper(int x) { return shared(x + 10) + 1000; }
int right(int x) { return helper(x); }
