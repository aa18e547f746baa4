/* Two members define one name: the first in the archive is taken, and the second never looked at. */
// archive: libx.a = first.c second.c
// call: use() = 1i32
int pick(void);
int use(void) { return pick(); }

//--- first.c
int pick(void) { return 1; }

//--- second.c
int pick(void) { return 2; }
