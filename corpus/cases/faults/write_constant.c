/* A write to a constant: read-only data is read-only. */
// call: read() = 7i32
// call: bad(1i32) = void
// fault: write
extern const int constant;
int read(void) { return constant; }
void bad(int v) { *(int volatile *)&constant = v; }

//--- constant.c
const int constant = 7;
