/* Switch tables and strings of a dropped copy go with it; the kept copy has its own. */
// flags: -fno-exceptions -fno-rtti
// call: here(2i32) = 99i32
// call: there(4i32) = 101i32
inline __attribute__((noinline)) const char *name(int i) {
  switch (i) {
  case 0: return "alpha"; case 1: return "beta"; case 2: return "charlie"; case 3: return "delta"; case 4: return "echo";
  default: return "?";
  }
}
extern "C" int here(int i) { return name(i)[0]; }

//--- there.cc
inline __attribute__((noinline)) const char *name(int i) {
  switch (i) {
  case 0: return "alpha"; case 1: return "beta"; case 2: return "charlie"; case 3: return "delta"; case 4: return "echo";
  default: return "?";
  }
}
extern "C" int there(int i) { return name(i)[0]; }
