/* Several far functions called from several places: one veneer each is enough, and none may serve the wrong target. */
// layout: far
// call: all(1i32) = 4321i32
// call: again(2i32) = 4322i32
int f1(int), f2(int), f3(int), f4(int);
int all(int x) { return f1(x) + 10 * f2(x) + 100 * f3(x) + 1000 * f4(x); }
int again(int x) { return f1(x) + 10 * f2(x - 1) + 100 * f3(x - 1) + 1000 * f4(x - 1); }

//--- one.c
int f1(int x) { return x; }
int f2(int x) { return x + 1; }

//--- two.c
int f3(int x) { return x + 2; }
int f4(int x) { return x + 3; }
