/* A tentative definition in an object stays one variable with the definition of a member that comes in for another name. */
// flags: -fcommon
// archive: libx.a = member.c
// call: use() = 45i32
int value;
int other(void);
int use(void) { return value + other(); }

//--- member.c
int value = 40;
int other(void) { return 5; }
