/* memcpy, memmove over itself, memset and memcmp on arrays of another object. */
// call: move() = void
// call: compare() = 3i32
// memory: bytes = 01 01 02 03 04 05 09 09
#include <stddef.h>
void *memcpy(void *, const void *, size_t); void *memmove(void *, const void *, size_t);
void *memset(void *, int, size_t); int memcmp(const void *, const void *, size_t);
extern unsigned char bytes[8], copy[8];
extern const unsigned char source[8];
void move(void) { memcpy(bytes, source, sizeof bytes); memmove(bytes + 1, bytes, 5); memset(bytes + 6, 9, 2); memcpy(copy, bytes, 8); }
int compare(void) { return (memcmp(copy, bytes, 8) > -1) + 2 * (memcmp(bytes, source, 8) < 0); }

//--- arrays.c
unsigned char bytes[8], copy[8];
const unsigned char source[8] = {1, 2, 3, 4, 5, 6, 7, 8};
