/* The older way of AArch64 to ask for a variable: __tls_get_addr instead of descriptors. */
// arch: aarch64
// flags: -mtls-dialect=trad
// build: gcc -O0 -fPIC | gcc -O2 -fPIC | gcc -Os -fPIE | gcc -O2 -fno-pic
// covers: R_AARCH64_TLSGD_ADR_PAGE21 R_AARCH64_TLSGD_ADD_LO12_NC
// call: bump() = 8i32
// call: bump() = 9i32
// call: sum() = 60i32
static _Thread_local int value = 7;
static _Thread_local int more[3] = {10, 20, 30};
int bump(void) { return ++value; }
int sum(void) { int s = 0; for (int i = 0; i < 3; i++) s += more[i]; return s; }
