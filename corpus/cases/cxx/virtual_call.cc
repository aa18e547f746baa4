/* Virtual calls: a table of function addresses in read-only data, reached through the object. */
// flags: -fno-exceptions -fno-rtti
// call: area(0i32) = 12i32
// call: area(1i32) = 25i32
// covers(armv7): R_ARM_ABS32
// covers(thumbv7): R_ARM_ABS32
// covers(aarch64): R_AARCH64_ABS64
struct shape { virtual int area() const = 0; };
extern const shape *make(int);
extern "C" int area(int which) { return make(which)->area(); }

//--- shapes.cc
struct shape { virtual int area() const = 0; };
struct rectangle : shape { int w, h; rectangle(int w, int h) : w(w), h(h) {} int area() const override { return w * h; } };
struct square : shape { int s; explicit square(int s) : s(s) {} int area() const override { return s * s; } };
alignas(8) static char room[2][32];
extern "C" void __cxa_pure_virtual() __attribute__((weak));
extern "C" void __cxa_pure_virtual() { for (;;) ; }
inline void *operator new(decltype(sizeof 0), void *p) { return p; }
const shape *make(int which) {
  if (which) return new (room[1]) square(5);
  return new (room[0]) rectangle(3, 4);
}
