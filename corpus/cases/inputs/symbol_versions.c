/* The default version of a symbol, as `.symver` writes it, defines the plain name; another version only itself. */
// call: newest() = 42i32
// call: oldest() = 17i32
// build: gcc -O2 -fno-pic
// build: clang -O2 -fno-pic
int answer(void);
int answer_before(void);
__asm__(".symver answer_before, answer@V_1");
int newest(void) { return answer(); }
int oldest(void) { return answer_before(); }

//--- library.c
int second(void) { return 42; }
int first(void) { return 17; }
__asm__(".symver second, answer@@V_2");
__asm__(".symver first, answer@V_1");
