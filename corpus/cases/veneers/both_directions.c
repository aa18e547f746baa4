/* Far calls forth and back between two objects: veneers on both sides. */
// layout: far random:2
// call: down(10i32) = 55i32
int up(int);
int down(int n) { return n == 0 ? 0 : n + up(n - 1); }

//--- up.c
int down(int);
int up(int n) { return n == 0 ? 0 : n + down(n - 1); }
