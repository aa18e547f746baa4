/* Structures in structures with pointers inward: addresses of members of members, with their offsets. */
// call: sum() = 66i32
// call: inner_address() = &outer+4
struct inner { int a, b; };
struct outer { int head; struct inner in[2]; };
extern struct outer outer;
extern struct inner *const inner;
extern int *const last;
int sum(void) { return inner->a + inner->b + inner[1].a + *last + outer.head; }
void *inner_address(void) { return &outer.in[0]; }

//--- outer.c
struct inner { int a, b; };
struct outer { int head; struct inner in[2]; };
struct outer outer = {1, {{2, 3}, {20, 40}}};
struct inner *const inner = &outer.in[0];
int *const last = &outer.in[1].b;
