/* Defect 7: a far call on a core that knows Thumb only. The veneer has to be Thumb code: there is no other state. */
// arch: thumbv6m thumbv7m
// layout: far near
// call: use(4i32) = 17i32
// call: host() = 5i32
// covers: R_ARM_THM_CALL
#include <stddef.h>
int callee(int);
size_t strlen(const char *);
extern const char text[];
int use(int x) { int r = callee(x); __asm__ volatile(""); return r + 1; }
int host(void) { int r = (int)strlen(text); __asm__ volatile(""); return r; }

//--- callee.c
const char text[] = "thumb";
int callee(int x) { return 4 * x; }
