/* Data that compresses: runs, repetitions, and noise. */
static unsigned char data[200000], packed[220000], back[200000];

static void fill(unsigned kind) {
  unsigned state = 12345 + kind;
  for (unsigned i = 0; i < sizeof data; i++) {
    state = state * 1664525 + 1013904223;
    unsigned char noise = state >> 24;
    data[i] = kind == 0 ? i / 1000 : kind == 1 ? "linkrig"[i % 7] ^ (noise < 8) : kind == 2 ? noise & 15 : noise;
  }
}

static unsigned sum(const unsigned char *bytes, unsigned long size) {
  unsigned sum = 2166136261u;
  for (unsigned long i = 0; i < size; i++)
    sum = (sum ^ bytes[i]) * 16777619u;
  return sum;
}
