/* A table of pointers to variables of several objects, among them one twice and one with an offset. */
// call: sum() = 161i32
// call: entry(3i32) = &b+8
// covers(armv7): R_ARM_ABS32
// covers(thumbv7): R_ARM_ABS32
// covers(aarch64): R_AARCH64_ABS64
extern int a, b[3], c;
int *const table[] = {&a, &b[1], &c, &b[2], &a};
int sum(void) { int s = 0; for (int i = 0; i < 5; i++) s += *table[i]; return s; }
int *entry(int i) { return table[i]; }

//--- values.c
int a = 1, b[3] = {10, 20, 39}, c = 100;
