/* A static function of one object does not serve another. */
// layout: near
// call: use() = 1i32
// call: keep(1i32) = 1i32
// link-error: undefined symbol: helper
int helper(int);
int keep(int);
int use(void) { return helper(1) + keep(1); }

//--- static.c
__attribute__((noinline)) static int helper(int x) { __asm__ volatile(""); return x; }
int keep(int x) { return helper(x) + 1; }
