/* String arguments from outside, literals from here and an array from another object. */
// call: length("") = 0i32
// call: length("hello, world") = 12i32
// call: literals() = 11i32
#include <stddef.h>
size_t strlen(const char *);
extern const char array[];
int length(const char *s) { return (int)strlen(s); }
int literals(void) { const char *volatile s = "seven.."; return (int)(strlen(s) + strlen(array)); }

//--- array.c
const char array[] = "four";
