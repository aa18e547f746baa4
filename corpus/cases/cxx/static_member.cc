/* Static data members, constant and not, defined in one object and used in another. */
// flags: -fno-exceptions -fno-rtti
// call: use(5i32) = 12i32
// memory: _ZN7counter5countE = 6i32
struct counter { static int count; static const int step; static int next(); };
extern "C" int use(int x) { counter::count = x; return counter::next() + counter::count * counter::step; }

//--- counter.cc
struct counter { static int count; static const int step; static int next(); };
int counter::count;
const int counter::step = 1;
int counter::next() { return ++count; }
