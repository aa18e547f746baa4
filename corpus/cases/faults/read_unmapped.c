/* A read through a pointer to nowhere. The call before it is fine. */
// call: fine() = 5i32
// call: bad() = void
// fault: read address 0x10
extern int *const nowhere;
int fine(void) { return 5; }
int bad(void) { return *(int volatile *)nowhere; }

//--- nowhere.c
int *const nowhere = (int *)0x10;
