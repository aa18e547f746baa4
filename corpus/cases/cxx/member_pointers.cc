/* Pointers to member functions, virtual and not: on ARM and AArch64 the mark of a virtual one is in the adjustment. */
// flags: -fno-exceptions -fno-rtti
// call: plain(3i32) = 8i32
// call: dynamic(3i32) = 53i32
// call: field(3i32) = 5i32
struct thing { int v = 5; int add(int); virtual int times(int); };
struct derived : thing { int times(int) override; };
typedef int (thing::*method)(int);
extern const method methods[2];
extern "C" int plain(int x) { derived d; return (d.*methods[0])(x); }
extern "C" int dynamic(int x) { derived d; return (d.*methods[1])(x); }
extern "C" int field(int) { int thing::*volatile p = &thing::v; derived d; return d.*p; }

//--- thing.cc
struct thing { int v = 5; int add(int); virtual int times(int); };
struct derived : thing { int times(int) override; };
typedef int (thing::*method)(int);
extern const method methods[2];
const method methods[2] = {&thing::add, &thing::times};
int thing::add(int x) { return v + x; }
int thing::times(int x) { return v * x; }
int derived::times(int x) { return 50 + x; }
