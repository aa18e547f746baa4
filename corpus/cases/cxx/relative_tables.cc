/* Tables of virtual functions as 32-bit differences, which clang makes on request: they need no relocation when loaded. */
// arch: aarch64
// build: clang -O0 -fPIC -fexperimental-relative-c++-abi-vtables | clang -O2 -fPIC -fexperimental-relative-c++-abi-vtables
// flags: -fno-exceptions -fno-rtti
// layout: near
// call: use(0i32) = 1i32
// call: use(1i32) = 22i32
// covers: R_AARCH64_PLT32
struct base { virtual int f(); virtual int g(); };
struct derived : base { int g() override; };
base *pick(int);
extern "C" int use(int which) { base *b = pick(which); return which ? b->g() : b->f(); }

//--- classes.cc
struct base { virtual int f(); virtual int g(); };
struct derived : base { int g() override; };
int base::f() { return 1; }
int base::g() { return 2; }
int derived::g() { return 22; }
static derived d;
base *pick(int) { return &d; }
