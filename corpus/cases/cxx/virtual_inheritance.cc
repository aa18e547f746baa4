/* A shared virtual base: construction tables, tables of tables, offsets read from them. */
// flags: -fno-exceptions -fno-rtti
// call: shared() = 42i32
// call: through_left() = 142i32
struct top { int v; explicit top(int v) : v(v) {} virtual int get() { return v; } };
struct left : virtual top { left() : top(1) {} int get() override { return v + 100; } };
struct right : virtual top { right() : top(2) {} };
struct bottom : left, right { bottom(); };
__attribute__((noinline)) static int ask(top *t) { return t->get(); }
extern "C" int shared() { bottom b; right *r = &b; return r->v; }
extern "C" int through_left() { bottom b; return ask(&b); }

//--- bottom.cc
struct top { int v; explicit top(int v) : v(v) {} virtual int get() { return v; } };
struct left : virtual top { left() : top(1) {} int get() override { return v + 100; } };
struct right : virtual top { right() : top(2) {} };
struct bottom : left, right { bottom(); };
bottom::bottom() : top(42) {}
