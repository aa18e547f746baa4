/* Two bodies under one inline name break a rule of C++, but show which copy a linker keeps: that of the first object. */
// build: gcc -O0 -fno-pic | clang -O0 -fno-pic | gcc -O0 -fPIC | clang -O0 -fPIC
// flags: -fno-exceptions -fno-rtti
// call: here() = 1i32
// call: there() = 1i32
inline int pick() { return 1; }
extern "C" int here() { return pick(); }

//--- there.cc
inline int pick() { return 2; }
extern "C" int there() { return pick(); }
