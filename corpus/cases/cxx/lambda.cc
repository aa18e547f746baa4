/* Lambdas without captures are functions; their addresses go to another object. */
// flags: -fno-exceptions -fno-rtti
// call: use(5i32) = 61i32
typedef int (*function)(int);
int apply(function, int);
extern "C" int use(int x) {
  function twice = [](int v) { return 2 * v; };
  int base = 6;
  auto adds = [=](int v) { return base * v + 1; };
  return adds(apply(twice, x));
}

//--- apply.cc
typedef int (*function)(int);
int apply(function f, int x) { return f(x); }
