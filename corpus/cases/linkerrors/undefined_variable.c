/* A variable that nobody defines, wanted by code of one object and by data of another. */
// layout: near
// call: use() = 1i32
// link-error: undefined symbol: missing
// link-error: table
extern int missing;
extern int *const table[2];
int use(void) { return missing + *table[1]; }

//--- table.c
extern int missing;
int *const table[2] = {0, &missing};
