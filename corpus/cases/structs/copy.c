/* Assignment of a large structure: the compiler calls memcpy by itself. */
// call: copy() = 4950i32
struct large { int v[100]; };
extern struct large a, b;
int sum(const struct large *);
int copy(void) { for (int i = 0; i < 100; i++) a.v[i] = i; b = a; return sum(&b); }

//--- storage.c
struct large { int v[100]; };
struct large a, b;
int sum(const struct large *l) { int s = 0; for (int i = 0; i < 100; i++) s += l->v[i]; return s; }
