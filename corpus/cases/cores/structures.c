/* Structures by value and through pointers in other objects' data. */
// arch: armv6 thumbv6m thumbv7m
// call: use(3i32) = 139i32
struct point { int x, y, z; };
extern struct point origin;
extern struct point *const points[2];
struct point move(struct point, int);
int use(int by) { struct point p = move(*points[1], by); return p.x + p.y + p.z + origin.x; }

//--- points.c
struct point { int x, y, z; };
struct point origin = {100, 0, 0};
static struct point other = {5, 10, 15};
struct point *const points[2] = {&origin, &other};
struct point move(struct point p, int by) { p.x += by; p.y += by; p.z += by; return p; }
