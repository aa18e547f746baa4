/* A hidden symbol cannot come from the host: even the name of a host function stays undefined. */
// layout: near
// call: use() = 1i32
// link-error: undefined symbol: missing_hidden
__attribute__((visibility("hidden"))) int missing_hidden(void);
int use(void) { return missing_hidden() + 1; }
