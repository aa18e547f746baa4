/* A write through a pointer to nowhere. */
// call: bad(1i32) = void
// fault: write address 0x20
extern int *const nowhere;
void bad(int v) { *(int volatile *)nowhere = v; }

//--- nowhere.c
int *const nowhere = (int *)0x20;
