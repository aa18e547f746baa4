/* Members that only hold data, pulled in by references from data. */
// archive: libx.a = table.c leaf.c
// call: sum() = 30i32
extern int *const table[2];
int sum(void) { return *table[0] + *table[1]; }

//--- table.c
extern int leaf;
static int own = 10;
int *const table[2] = {&own, &leaf};

//--- leaf.c
int leaf = 20;
