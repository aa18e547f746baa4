/* Functions of two objects handed to a third: their addresses travel through registers and are called there. */
// call: both(10i32) = 31i32
// covers(armv7): R_ARM_MOVT_ABS R_ARM_MOVW_ABS_NC
// covers(thumbv7): R_ARM_THM_MOVT_ABS R_ARM_THM_MOVW_ABS_NC
// covers(aarch64): R_AARCH64_ADD_ABS_LO12_NC R_AARCH64_ADR_GOT_PAGE R_AARCH64_ADR_PREL_PG_HI21 R_AARCH64_LD64_GOT_LO12_NC
int apply(int (*)(int), int);
int triple(int);
static int increment(int x) { return x + 1; }
int both(int x) { return apply(triple, apply(increment, x)) - 2; }

//--- apply.c
int apply(int (*f)(int), int x) { return f(x); }

//--- triple.c
int triple(int x) { return 3 * x; }
