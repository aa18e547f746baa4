/* References as globals: bound to variables of another object, at compile time and at run time. */
// flags: -fno-exceptions -fno-rtti
// call: bump(4i32) = 14i32
// memory: target = 14i32
extern int target;
int &alias = target;
struct user { int &r; int add(int x) const { return r += x; } };
extern const user &bound();
extern "C" int bump(int x) { return bound().add(x) + (&alias - &target); }

//--- target.cc
int target = 10;
struct user { int &r; int add(int x) const { return r += x; } };
static const user u = {target};
extern const user &bound() { return u; }
