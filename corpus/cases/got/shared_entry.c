/* Two objects and several sites that use one symbol: whatever entries there are, all hold the same address. */
// build: gcc -O2 -fPIC | clang -O2 -fPIC
// call: agree() = 1i32
// call: here() = &thing
extern int thing;
int *there(void);
int *here(void) { return &thing; }
int *again(void) { return &thing + 1; }
int agree(void) { return here() == there() && again() == there() + 1; }

//--- there.c
extern int thing;
int *there(void) { return &thing; }

//--- thing.c
int thing = 3;
