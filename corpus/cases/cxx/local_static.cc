/* Static variables in functions, with guards but without threads: constructed at the first call. */
// flags: -fno-exceptions -fno-rtti -fno-threadsafe-statics
// call: get() = 8i32
// call: get() = 9i32
// call: constructed() = 1i32
int count();
struct probe { int v; probe(); };
__attribute__((noinline)) static probe &instance() { static probe p; return p; }
extern "C" int get() { return ++instance().v; }
extern "C" int constructed() { return count(); }

//--- probe.cc
struct probe { int v; probe(); };
static int n;
probe::probe() : v(7) { n++; }
int count() { return n; }
