/* Destructors run in reverse order at the end of the block; those of statics are only registered, with the host. */
// flags: -fno-exceptions -fno-rtti -fno-threadsafe-statics
// call: use() = 1221i32
extern "C" __attribute__((weak, visibility("hidden"))) void *__dso_handle;
int record;
struct guard { int n; explicit guard(int n); ~guard(); };
guard &global();
extern "C" int use() { { guard a(1), b(2); } global(); return record; }

//--- guard.cc
extern int record;
struct guard { int n; explicit guard(int n); ~guard(); };
guard::guard(int n) : n(n) { if (n < 3) record = 10 * record + n; }
guard::~guard() { record = 10 * record + n; }
guard &global() { static guard g(3); return g; }
