/* A member comes in for one of its names and brings another that is already defined. */
// layout: near
// archive: libx.a = member.c
// call: use() = 1i32
// link-error: duplicate symbol: both
int wanted(void);
int both(void) { return 1; }
int use(void) { return wanted() + both(); }

//--- member.c
int wanted(void) { return 1; }
int both(void) { return 2; }
