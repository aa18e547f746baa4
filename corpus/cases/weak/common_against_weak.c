/* A tentative definition beside a weak one: GNU ld and lld agree that the common symbol takes it. */
// flags: -fcommon
// call: read() = 0i32
int value;
int read(void) { return value; }

//--- weak.c
__attribute__((weak)) int value = 5;
