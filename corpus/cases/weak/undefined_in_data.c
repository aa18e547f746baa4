/* Weak references from data to nothing: the words hold zero, whereas their neighbours hold addresses. */
// call: count() = 2i32
// call: entry(0i32) = &real
// covers(armv7): R_ARM_ABS32
// covers(thumbv7): R_ARM_ABS32
// covers(aarch64): R_AARCH64_ABS64
extern int ghost __attribute__((weak));
extern int phantom(void) __attribute__((weak));
extern int real;
void *const table[] = {&real, &ghost, (void *)phantom, &real};
int count(void) { int n = 0; for (int i = 0; i < 4; i++) n += *(void *volatile const *)&table[i] != 0; return n; }
void *entry(int i) { return table[i]; }

//--- real.c
int real = 1;
