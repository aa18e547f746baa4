/* Functions put into sections of their own in one object: calls between them are relocated like calls between objects. */
// call: start(1i32) = 1234i32
// covers(armv7): R_ARM_CALL
// covers(thumbv7): R_ARM_THM_CALL
// covers(aarch64): R_AARCH64_CALL26
__attribute__((noinline, section(".text.c"))) static int c(int x) { __asm__ volatile(""); return x * 10 + 4; }
__attribute__((noinline, section(".text.b"))) static int b(int x) { int r = c(x * 10 + 3); __asm__ volatile(""); return r; }
__attribute__((noinline, section(".text.a"))) int a(int x) { int r = b(x * 10 + 2); __asm__ volatile(""); return r; }
int start(int x) { int r = a(x); __asm__ volatile(""); return r; }
