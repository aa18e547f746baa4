/* The table of a class lives where its first virtual function is defined; another object constructs and calls. */
// flags: -fno-exceptions -fno-rtti
// call: use(3i32) = 34i32
struct base { int v; explicit base(int v) : v(v) {} virtual int key(); virtual int other() { return v * 10; } };
__attribute__((noinline)) static int call(base *b) { return b->key() + b->other(); }
extern "C" int use(int x) { base b(x); base *volatile p = &b; return call(p); }

//--- key.cc
struct base { int v; explicit base(int v) : v(v) {} virtual int key(); virtual int other() { return v * 10; } };
int base::key() { return v + 1; }
