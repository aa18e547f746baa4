/* Equal strings in two objects may become one; pointers into the middle of one must still point at the right character. */
// call: here(0i32) = 104i32
// call: here(6i32) = 119i32
// call: there(6i32) = 119i32
// call: tail() = 100i32
// call: equal() = 0i32
#include <stddef.h>
int strcmp(const char *, const char *);
extern const char *const remote;
static const char *const local = "hello world";
const char *const middle = &"hello world"[6];
int there(int);
int here(int i) { return local[i]; }
int tail(void) { return middle[4]; }
int equal(void) { return strcmp(local, remote) + strcmp(middle, remote + 6); }

//--- remote.c
const char *const remote = "hello world";
static const char *const suffix = "world";
int there(int i) { return suffix[i - 6]; }
