/* A ring of nodes in three objects: initialised data of each points into the next. */
// call: walk(0i32) = 1i32
// call: walk(1i32) = 2i32
// call: walk(5i32) = 3i32
// call: walk(300i32) = 1i32
struct node { struct node *next; int value; };
extern struct node second;
struct node first = {&second, 1};
int walk(int steps) { struct node *n = &first; while (steps--) n = n->next; return n->value; }

//--- second.c
struct node { struct node *next; int value; };
extern struct node third;
struct node second = {&third, 2};

//--- third.c
struct node { struct node *next; int value; };
extern struct node first;
struct node third = {&first, 3};
