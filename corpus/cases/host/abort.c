/* abort ends the call as well; the calls before it have returned. */
// call: check(1i32) = 2i32
// call: check(0i32) = void
// prints: "one\n"
// exit: abort
int puts(const char *);
int verify(int);
int check(int x) { return verify(x) + 1; }

//--- verify.c
void abort(void) __attribute__((noreturn));
int puts(const char *);
int verify(int x) { if (!x) abort(); puts("one"); return x; }
