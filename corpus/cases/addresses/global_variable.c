/* The address and the value of a variable of another object, read, written, and looked at afterwards. */
// call: bump(5i32) = 47i32
// call: where() = &counter
// memory: counter = 47i32
// covers(armv7): R_ARM_MOVT_ABS R_ARM_MOVW_ABS_NC
// covers(thumbv7): R_ARM_THM_MOVT_ABS R_ARM_THM_MOVW_ABS_NC
// covers(aarch64): R_AARCH64_ADD_ABS_LO12_NC R_AARCH64_ADR_GOT_PAGE R_AARCH64_ADR_PREL_PG_HI21 R_AARCH64_LD64_GOT_LO12_NC
extern int counter;
int bump(int by) { counter += by; return counter; }
int *where(void) { return &counter; }

//--- counter.c
int counter = 42;
