/* Packs and unpacks data at several levels. */
#include "data.h"
#include "zstd.h"
#include <stdio.h>
#include <string.h>

int main(void) {
  static const int levels[] = {-3, 1, 5, 12};
  for (unsigned kind = 0; kind < 4; kind++) {
    fill(kind);
    for (unsigned i = 0; i < 4; i++) {
      size_t size = ZSTD_compress(packed, sizeof packed, data, sizeof data, levels[i]);
      if (ZSTD_isError(size))
        return 1;
      memset(back, 0, sizeof back);
      size_t length = ZSTD_decompress(back, sizeof back, packed, size);
      if (ZSTD_isError(length) || length != sizeof data || memcmp(back, data, length))
        return 2;
      printf("%u %d %lu %08x\n", kind, levels[i], (unsigned long)size, sum(packed, size));
    }
    packed[9] ^= 0x55;
    printf("%u damaged %d\n", kind, ZSTD_isError(ZSTD_decompress(back, sizeof back, packed, 50)) != 0);
  }
  return 0;
}
