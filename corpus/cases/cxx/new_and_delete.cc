/* Objects from the heap: the operators come from the host. */
// flags: -fno-exceptions -fno-rtti
// call: build(10i32) = 55i32
struct node { int v; node *next; };
node *push(node *, int);
void drop(node *);
extern "C" int build(int n) {
  node *list = nullptr;
  while (n) list = push(list, n--);
  int s = 0;
  for (node *p = list; p; p = p->next) s += p->v;
  drop(list);
  return s;
}

//--- list.cc
struct node { int v; node *next; };
node *push(node *next, int v) { return new node{v, next}; }
void drop(node *n) { while (n) { node *next = n->next; delete n; n = next; } }
