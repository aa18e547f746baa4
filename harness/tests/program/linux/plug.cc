// A library that a program loads.
#include <cstdio>
#include <string>

extern "C" int from_program(int n);
struct Guard {
  ~Guard() { std::puts("unwound"); }
};
thread_local int calls = 100;
static struct Loaded {
  Loaded() { std::puts("loaded"); }
  ~Loaded() { std::puts("unloaded"); }
} loaded;

extern "C" int call_back(int n) {
  Guard guard;
  if (n < 0) throw std::string("negative");
  return from_program(n) + ++calls;
}

extern "C" int poke(int *at) {
  std::fflush(stdout);
  return *at = calls;
}
