/* A pointer at an odd address inside a packed structure: the place of a data relocation need not be aligned. */
// call: check() = 42i32
// covers(armv7): R_ARM_ABS32
// covers(thumbv7): R_ARM_ABS32
// covers(aarch64): R_AARCH64_ABS64
extern struct __attribute__((packed)) { char tag; int *pointer; char end; } record;
int check(void) { return record.tag == 1 && record.end == 2 ? *record.pointer : 0; }

//--- record.c
int value = 42;
struct __attribute__((packed)) { char tag; int *pointer; char end; } record = {1, &value, 2};
