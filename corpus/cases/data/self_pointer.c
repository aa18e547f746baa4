/* Data that points at itself: the target of the relocation is the place it is in. */
// call: check() = 1i32
struct loop { struct loop *self; void *inside; int n; };
extern struct loop loop;
int check(void) { return loop.self == &loop && loop.inside == &loop.n && loop.self->self->n == 9; }

//--- loop.c
struct loop { struct loop *self; void *inside; int n; };
struct loop loop = {&loop, &loop.n, 9};
