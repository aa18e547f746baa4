/* Descriptors on ARM: GCC's gnu2 dialect calls the linker's trampoline, which calls the function that a descriptor names. */
// arch: armv7 thumbv7 thumbv7m
// build: gcc -O2 -fPIC -mtls-dialect=gnu2 | gcc -O0 -fPIC -mtls-dialect=gnu2 | gcc -Os -fPIC -mtls-dialect=gnu2
// layout: near far high
// call: own() = 5i32
// call: other() = 37i32
// call: add(4i32) = 41i32
// call: other() = 41i32
// covers(armv7): R_ARM_TLS_GOTDESC R_ARM_TLS_CALL
// covers(thumbv7): R_ARM_TLS_GOTDESC R_ARM_THM_TLS_CALL
_Thread_local int mine = 5;
extern _Thread_local int theirs;
int own(void) { return mine; }
int other(void) { return theirs; }
int add(int n) { theirs += n; return theirs; }

//--- theirs.c
_Thread_local char before[24] = {1};
_Thread_local int theirs = 37;
