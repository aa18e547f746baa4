/* The addend of a data relocation, small and large: it is in the record on AArch64 and in the field on ARM. */
// for: OFFSET = 0 4 1020 65536
// call: get() = &base+$OFFSET
// covers(aarch64): R_AARCH64_ABS64
// covers(armv7): R_ARM_ABS32
// covers(thumbv7): R_ARM_ABS32
extern char base[];
char *const pointer = base + OFFSET;
extern char *const *reader(void);
char *get(void) { return *reader(); }

//--- base.c
char base[16] = {1};
extern char *const pointer;
char *const *reader(void) { return &pointer; }
