/* A function that nobody defines: the error names it and who wants it. */
// layout: near
// call: use(1i32) = 1i32
// link-error: undefined symbol: missing
// link-error: undefined_function
int missing(int);
int use(int x) { return missing(x); }
