/* thread_local in C++: with constant initialisation, and initialised by code at first use through a wrapper. */
// build(arm): @standard
// build(aarch64): gcc -O0 -fno-pic | gcc -O2 -fPIC | gcc -Os -fPIE | gcc -O2 -fno-pic -mcmodel=tiny | gcc -O2 -fno-pic -mcmodel=large
// build(aarch64): clang -O0 -fno-pic | clang -O2 -fPIC | clang -Os -fPIE | clang -O2 -fno-pic -mcmodel=tiny
// call: constant() = 5i32
// call: computed() = 43i32
// call: computed() = 44i32
// call: later() = 9i32
struct Counter {
    int value;
    explicit Counter(int start) : value(start) {}
    int next() { return ++value; }
};
thread_local int plain = 4;
int start() { return 42; }
extern "C" int constant() { return ++plain; }
extern "C" int computed() { static thread_local Counter counter(start()); return counter.next(); }
extern thread_local int elsewhere;
extern "C" int later() { return elsewhere; }

//--- elsewhere.cc
int nine();
thread_local int elsewhere = nine();
int nine() { return 9; }
