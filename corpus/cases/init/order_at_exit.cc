/* What exit does: destructors of thread-local variables, then what was registered, last first and with what the static objects
   registered when they were made, then the array of destructors from its end. */
// flags: -fno-exceptions -fno-rtti -fno-threadsafe-statics
// call: leave() = void
// prints: "+abTgff-b-aDC"
// exit: 5
extern "C" int putchar(int);
extern "C" int atexit(void (*)());
extern "C" int __cxa_thread_atexit(void (*)(void *), void *, void *);
extern "C" void exit(int) __attribute__((noreturn));
extern void *__dso_handle;
struct probe {
  char name;
  explicit probe(char name);
  ~probe();
};
static probe a('a'), b('b');
static void f() { putchar('f'); }
static void g() { putchar('g'); atexit(f); }
static void thread(void *) { putchar('T'); }
__attribute__((destructor(101))) static void c() { putchar('C'); }
__attribute__((destructor(102))) static void d() { putchar('D'); }
extern "C" void leave() {
  atexit(f);
  atexit(g);
  __cxa_thread_atexit(thread, nullptr, &__dso_handle);
  exit(5);
}

//--- probe.cc
extern "C" int putchar(int);
struct probe {
  char name;
  explicit probe(char name);
  ~probe();
};
static bool begun;
probe::probe(char name) : name(name) {
  if (!begun) putchar('+');
  begun = true;
  putchar(name);
}
probe::~probe() {
  putchar('-');
  putchar(name);
}
