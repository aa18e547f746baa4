/* A table computed by the compiler and one whose entries are addresses of template instances. */
// flags: -std=c++17 -fno-exceptions -fno-rtti
// call: square(9i32) = 81i32
// call: apply(3i32, 4i32) = 12i32
struct squares { int v[16]; constexpr squares() : v() { for (int i = 0; i < 16; i++) v[i] = i * i; } };
static constexpr squares table;
extern "C" int square(int i) { return table.v[i]; }
template <int N> int times(int x) { return N * x; }
typedef int (*function)(int);
extern const function functions[4];
const function functions[4] = {times<0>, times<1>, times<2>, times<3>};

//--- apply.cc
typedef int (*function)(int);
extern const function functions[4];
extern "C" int apply(int i, int x) { return functions[i](x); }
