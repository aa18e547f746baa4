/* A table of functions collected from three objects in a section with a C name: its bounds are symbols the linker makes. */
// call: run(1i32) = 1234i32
// call: count() = 3i32
typedef int (*hook)(int);
extern const hook __start_hooks[], __stop_hooks[];
static int a(int x) { return 10 * x + 2; }
__attribute__((section("hooks"), used)) static const hook mine = a;
int run(int x) { for (const hook *p = __start_hooks; p != __stop_hooks; p++) x = (*p)(x); return x; }
int count(void) { return (int)(__stop_hooks - __start_hooks); }

//--- b.c
typedef int (*hook)(int);
static int b(int x) { return 10 * x + 3; }
__attribute__((section("hooks"), used)) static const hook mine = b;

//--- c.c
typedef int (*hook)(int);
static int c(int x) { return 10 * x + 4; }
__attribute__((section("hooks"), used)) static const hook mine = c;
