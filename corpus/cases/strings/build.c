/* A string built in a zero-filled buffer from pieces of three objects. */
// call: build() = 11i32
// memory: buffer = 68 65 6c 6c 6f 20 77 6f 72 6c 64 00
#include <stddef.h>
char *strcpy(char *, const char *);
size_t strlen(const char *);
extern char buffer[];
extern const char first[];
extern const char *second;
int build(void) {
  strcpy(buffer, first);
  strcpy(buffer + strlen(buffer), " ");
  strcpy(buffer + strlen(buffer), second);
  return (int)strlen(buffer);
}

//--- first.c
char buffer[32];
const char first[] = "hello";

//--- second.c
const char *second = "world";
