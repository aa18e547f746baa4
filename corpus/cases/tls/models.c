/* Thread-local variables of this object and another, in each of the models that code can be compiled for: initialised, zero, an
   array of which an element is wanted, static and common to all. */
// build(arm): @standard
// build(aarch64): gcc -O0 -fno-pic | gcc -O2 -fPIC | gcc -Os -fPIE | gcc -O2 -fno-pic -mcmodel=tiny | gcc -O2 -fno-pic -mcmodel=large
// build(aarch64): clang -O0 -fno-pic | clang -O2 -fPIC | clang -Os -fPIE | clang -O2 -fno-pic -mcmodel=tiny
// for: MODEL = global-dynamic local-dynamic initial-exec local-exec
// flags: -ftls-model=$MODEL
// call: count(4i32) = 9i32
// call: count(1i32) = 10i32
// call: second() = 12i64
// call: zeroes() = 2i32
// call: other(5i32) = 8i32
// call: other(0i32) = 8i32
// call: distance() = 8i32
// covers(aarch64, MODEL=global-dynamic): R_AARCH64_TLSDESC_ADR_PAGE21 R_AARCH64_TLSDESC_LD64_LO12 R_AARCH64_TLSDESC_ADD_LO12 R_AARCH64_TLSDESC_CALL
// covers(aarch64, MODEL=initial-exec): R_AARCH64_TLSIE_ADR_GOTTPREL_PAGE21 R_AARCH64_TLSIE_LD64_GOTTPREL_LO12_NC
// covers(aarch64, MODEL=local-exec): R_AARCH64_TLSLE_ADD_TPREL_HI12 R_AARCH64_TLSLE_ADD_TPREL_LO12_NC
// covers(arm, MODEL=global-dynamic): R_ARM_TLS_GD32
// covers(arm, MODEL=local-dynamic): R_ARM_TLS_LDM32 R_ARM_TLS_LDO32
// covers(arm, MODEL=initial-exec): R_ARM_TLS_IE32
// covers(arm, MODEL=local-exec): R_ARM_TLS_LE32
static _Thread_local int counter = 5;
_Thread_local long long list[4] = {1, 2, 3, 4};
static _Thread_local int zero;
_Thread_local int shared[40];
extern _Thread_local int elsewhere;

int count(int by) { counter += by; list[1] = counter + 2; return counter; }
long long second(void) { return list[1]; }
int zeroes(void) { zero++; shared[39]++; return zero + shared[39]; }
int other(int by) { elsewhere += by; return elsewhere; }
int distance(void) { return (int)((char *)&list[2] - (char *)&list[1]); }

//--- elsewhere.c
_Thread_local int elsewhere = 3;
