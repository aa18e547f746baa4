/* Code with clean-ups and tables for exceptions that are never thrown: the tables' relocations must be right all the same. */
// flags: -fexceptions -fno-rtti
// call: use(4i32) = 9i32
// call: ended() = 1i32
int work(int);
int released;
struct holder { int v; explicit holder(int v) : v(v) {} ~holder() { released++; } };
extern "C" int use(int x) { holder h(x); return work(h.v) + 1; }
extern "C" int ended() { return released; }
#define STAND_IN extern "C" __attribute__((weak)) void
STAND_IN _Unwind_Resume(void *) { for (;;) ; }
STAND_IN __cxa_end_cleanup() { for (;;) ; }
STAND_IN __cxa_begin_catch(void *) { for (;;) ; }
extern "C" __attribute__((weak)) bool __cxa_begin_cleanup(void *) { return true; }

//--- work.cc
int work(int x) { return 2 * x; }
