/* What an object defines is not taken from an archive. */
// archive: libx.a = pick.c other.c
// call: use() = 12i32
int pick(void) { return 10; }
int other(void);
int use(void) { return pick() + other(); }

//--- pick.c
int pick(void) { return 20; }

//--- other.c
int other(void) { return 2; }
