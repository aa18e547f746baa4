/* Two functions in two objects that call each other: branches in both directions between the same pair of sections. */
// call: is_even(10u32) = 1i32
// call: is_even(7u32) = 0i32
// call: is_odd(7u32) = 1i32
// covers(armv7): R_ARM_CALL
// covers(thumbv7): R_ARM_THM_CALL
// covers(aarch64): R_AARCH64_CALL26
int is_odd(unsigned);
int is_even(unsigned n) { int r = n == 0 ? 1 : is_odd(n - 1); __asm__ volatile("" ::: "memory"); return r; }

//--- odd.c
int is_even(unsigned);
int is_odd(unsigned n) { int r = n == 0 ? 0 : is_even(n - 1); __asm__ volatile("" ::: "memory"); return r; }
