/* A jump into data: memory that can be written is not executed. */
// call: bad() = void
// fault: fetch
extern unsigned code[4];
int bad(void) { return ((int (*)(void))(void *)code)() + 1; }

//--- data.c
unsigned code[4] = {1, 2, 3, 4};
