/* Elements of an array of another object: the distance from its start is the addend. */
// for: INDEX = 0 1 7 63
// call: is_index() = 1i32
// call: where() = &table
// call: set(9i32) = 1i32
extern int table[64];
int is_index(void) { return table[INDEX] == INDEX; }
int *where(void) { return &table[INDEX] - INDEX; }
int set(int v) { table[INDEX] = v; return *(int *)((char *)table + INDEX * 4) == v; }

//--- table.c
#define R4(n) n, n + 1, n + 2, n + 3
#define R16(n) R4(n), R4(n + 4), R4(n + 8), R4(n + 12)
int table[64] = {R16(0), R16(16), R16(32), R16(48)};
