/* The archive's member that is pulled in needs something that is nowhere. */
// layout: near
// archive: libx.a = member.c
// call: use() = 1i32
// link-error: undefined symbol: nowhere
// link-error: member
int wanted(void);
int use(void) { return wanted(); }

//--- member.c
int nowhere(void);
int wanted(void) { return nowhere() + 1; }
