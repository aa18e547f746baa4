/* Objects with debug information: its relocations refer to code and to each other, and it is never loaded. */
// flags: -g
// call: use(4i32) = 13i32
struct point { int x, y; };
int distance(struct point *);
int use(int x) { struct point p = {x, 5}; return distance(&p); }

//--- distance.c
struct point { int x, y; };
static int weight = 2;
int distance(struct point *p) { return weight * p->x + p->y; }
