/* The tiny code model: a literal load of the offset, a descriptor by ADR, or an offset of two additions. */
// arch: aarch64
// for: MODEL = global-dynamic initial-exec local-exec
// flags: -ftls-model=$MODEL
// build: gcc -O2 -fPIC -mcmodel=tiny | gcc -O0 -fno-pic -mcmodel=tiny | clang -O2 -fPIC -mcmodel=tiny | clang -O0 -fno-pic -mcmodel=tiny
// layout: near
// call: bump() = 8i32
// call: bump() = 9i32
// call: far_end() = 77i32
// covers(MODEL=initial-exec): R_AARCH64_TLSIE_LD_GOTTPREL_PREL19
_Thread_local int value = 7;
_Thread_local int room[2000] = {[1999] = 77};
int bump(void) { return ++value; }
int far_end(void) { return room[1999]; }
