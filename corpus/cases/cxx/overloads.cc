/* Overloads, operators and namespaces: long names that differ in their ends only. */
// flags: -fno-exceptions -fno-rtti
// call: use() = 1248i32
namespace a { namespace b { int f(int); int f(long long); int f(const char *); } int f(int); }
struct v { int x; };
v operator+(v, v);
extern "C" int use() { return a::b::f(1) + a::b::f(1ll) + a::b::f("x") + (v{a::f(1)} + v{0}).x; }

//--- more.cc
namespace a { namespace b {
int f(int) { return 1000; }
int f(long long) { return 200; }
int f(const char *) { return 40; }
} int f(int) { return 4; } }
struct v { int x; };
v operator+(v l, v r) { return v{2 * l.x + r.x}; }
