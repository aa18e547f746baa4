/* C++17 inline variables: one object in memory for all. */
// flags: -std=c++17 -fno-exceptions -fno-rtti
// call: write(5i32) = void
// call: read() = 12i32
inline int setting = 7;
extern "C" void write(int v) { setting += v; }

//--- read.cc
inline int setting = 7;
extern "C" int read() { return setting; }
