/* Members of an archive come in when something needs them; one that would clash stays out. */
// archive: libx.a = wanted.c unwanted.c
// call: use(3i32) = 31i32
int wanted(int);
int use(int x) { return wanted(x) + 1; }
int clash(void) { return 1; }

//--- wanted.c
int wanted(int x) { return 10 * x; }

//--- unwanted.c
int clash(void) { return 2; }
int nobody(void) { return clash(); }
