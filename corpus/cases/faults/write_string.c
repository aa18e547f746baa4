/* A write to a string literal. */
// call: first() = 104i32
// call: bad() = void
// fault: write
extern const char *const text;
int first(void) { return *text; }
void bad(void) { *(char volatile *)text = 'j'; }

//--- text.c
const char *const text = "hello";
