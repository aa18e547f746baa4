/* Text formatted into a buffer of the program, with and without a limit. */
// call: format(42i32) = 8i32
// call: cut() = 10i32
// memory: buffer = 30 31 32 33 00
int sprintf(char *, const char *, ...);
int snprintf(char *, __SIZE_TYPE__, const char *, ...);
extern char buffer[32];
int format(int x) { return sprintf(buffer, "x = %s%d", "00", x); }
int cut(void) { return snprintf(buffer, 5, "%s", "0123456789"); }

//--- buffer.c
char buffer[32];
