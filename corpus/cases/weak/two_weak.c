/* Two weak definitions: the first object's is taken, by everybody. */
// call: here() = 1i32
// call: there() = 1i32
__attribute__((weak)) int pick(void) { return 1; }
int here(void) { return pick(); }

//--- second.c
__attribute__((weak)) int pick(void) { return 2; }
int there(void) { return pick(); }
