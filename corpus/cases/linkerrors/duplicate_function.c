/* Two strong definitions of one function. */
// layout: near
// call: twice_defined(1i32) = 1i32
// link-error: duplicate symbol: twice_defined
// link-error: second
int twice_defined(int x) { return x; }

//--- second.c
int twice_defined(int x) { return x + 1; }
