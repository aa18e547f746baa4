/* A tentative definition gives way to a real one, whatever the order. */
// flags: -fcommon
// call: read() = 77i32
// call: where() = &value
int value;
int read(void) { return value; }

//--- real.c
int value = 77;

//--- late.c
int value;
int *where(void) { return &value; }
