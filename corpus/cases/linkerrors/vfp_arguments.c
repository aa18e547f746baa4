/* Floating-point arguments in VFP registers here and in core registers there: calls between them would pass garbage. */
// arch: armv7 thumbv7
// build: gcc -O2 -fno-pic
// build: clang -O2 -fno-pic
// layout: near
// flags(part.c): -mfloat-abi=softfp
// flags(vfp_arguments.c): -mfloat-abi=hard -mfpu=vfpv3-d16
// call: use() = 3i32
// link-error: passes floating-point arguments in core registers, others in VFP registers
// link-error: Tag_ABI_VFP_args 0 and 1
double twice(double x);
int use(void) { return (int)twice(1.5); }

//--- part.c
double twice(double x) { return 2 * x; }
