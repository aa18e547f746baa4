/* A member needs a member that needs a member, in the order in which one pass over the archive would miss them. */
// archive: libx.a = three.c two.c one.c
// call: use(1i32) = 124i32
int one(int);
int use(int x) { return one(x) + 1; }

//--- one.c
int two(int);
int one(int x) { return two(10 * x + 2); }

//--- two.c
int three(int);
int two(int x) { return three(10 * x); }

//--- three.c
int three(int x) { return x + 3; }
