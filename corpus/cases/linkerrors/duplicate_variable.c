/* Two strong definitions of one variable: with -fno-common even without initial values. */
// layout: near
// flags: -fno-common
// call: use() = 1i32
// link-error: duplicate symbol: value
int value;
int use(void) { return value; }

//--- second.c
int value;
