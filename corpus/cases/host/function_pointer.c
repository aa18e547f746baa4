/* The address of a host function, in a variable and in a table: calls to it are indirect. */
// call: run(2i32) = 5i32
// prints: "one\ntwo\n"
#include <stddef.h>
int puts(const char *);
size_t strlen(const char *);
typedef int (*printer)(const char *);
extern const printer table[2];
static size_t (*volatile length)(const char *) = strlen;
int run(int n) { for (int i = 0; i < n; i++) table[i](i ? "two" : "one"); return (int)length("12345"); }

//--- table.c
int puts(const char *);
typedef int (*printer)(const char *);
const printer table[2] = {puts, puts};
