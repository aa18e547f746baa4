/* Formats: signed, unsigned, hexadecimal, characters, strings, widths, 64 bits. */
// call: report(-5i32) = void
// prints: "-5 4294967291 fffffffb\n[   7] [0007] [7   ] c% word\n1234567890123 -1\n"
int printf(const char *, ...);
extern const char *const word;
void report(int x) {
  printf("%d %u %x\n", x, (unsigned)x, (unsigned)x);
  printf("[%4d] [%04d] [%-4d] %c%% %s\n", 7, 7, 7, 'c', word);
  printf("%lld %lld\n", 1234567890123ll, -1ll);
}

//--- word.c
const char *const word = "word";
