/* A weak alias of a strong function, replaced elsewhere: the strong name keeps its own body. */
// call: both() = 12i32
int body(void) { return 2; }
int name(void) __attribute__((weak, alias("body")));
int both(void) { int volatile own = body(); return name() + own; }

//--- strong.c
int name(void) { return 10; }
