/* Packs and unpacks data at several levels. */
#include "data.h"
#include "zlib.h"
#include <stdio.h>
#include <string.h>

int main(void) {
  static const int levels[] = {0, 1, 6, 9};
  for (unsigned kind = 0; kind < 4; kind++) {
    fill(kind);
    for (unsigned i = 0; i < 4; i++) {
      uLongf size = sizeof packed, length = sizeof back;
      if (compress2(packed, &size, data, sizeof data, levels[i]) != Z_OK)
        return 1;
      memset(back, 0, sizeof back);
      if (uncompress(back, &length, packed, size) != Z_OK || length != sizeof data || memcmp(back, data, length))
        return 2;
      printf("%u %d %lu %08x %08lx %08lx\n", kind, levels[i], size, sum(packed, size), crc32(0, data, length),
             adler32(1, data, length));
    }
    packed[100] ^= 1;
    uLongf length = sizeof back;
    printf("%u damaged %d\n", kind, uncompress(back, &length, packed, sizeof packed) != Z_OK);
  }
  return 0;
}
