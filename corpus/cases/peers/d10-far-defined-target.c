/* Defect 10: a target that is defined, but out of reach in another section, needs a veneer no less than an external one. */
// layout: far
// call: use(4i32) = 45i32
// covers(armv7): R_ARM_CALL
// covers(thumbv7): R_ARM_THM_CALL
// covers(aarch64): R_AARCH64_CALL26
__attribute__((section(".text.distant"), noinline)) int distant(int x) { __asm__ volatile(""); return 10 * x; }
int other(int);
int use(int x) { int r = distant(x) + other(x); __asm__ volatile(""); return r; }

//--- other.c
int other(int x) { return x + 1; }
