/* Two bases: the second table goes through a thunk that adjusts `this`. */
// flags: -fno-exceptions -fno-rtti
// call: first() = 111i32
// call: second() = 211i32
struct a { int x = 1; virtual int f() { return x; } };
struct b { int y = 2; virtual int g() { return y; } };
struct c : a, b { int z = 10; int f() override; int g() override; };
c *object();
extern "C" int first() { a *p = object(); return p->f(); }
extern "C" int second() { b *p = object(); return p->g(); }

//--- object.cc
struct a { int x = 1; virtual int f() { return x; } };
struct b { int y = 2; virtual int g() { return y; } };
struct c : a, b { int z = 10; int f() override; int g() override; };
int c::f() { return 100 + z + x; }
int c::g() { return 200 + z + y - 1; }
inline void *operator new(decltype(sizeof 0), void *p) { return p; }
alignas(8) static char room[sizeof(c)];
c *object() { return new (room) c; }
