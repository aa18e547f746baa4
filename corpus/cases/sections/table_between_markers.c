/* A table whose ends are objects without bytes in the first and the last object of the link, as start files have them: everything of
   that section lies between. */
// layout: near far high random:1 random:2 random:3
// call: total() = 100i32
struct none {};
extern const int table_end[];
__attribute__((section(".hooks"), used, aligned(4))) const int table_begin[0] = {};
int total(void) {
  int total = 0;
  for (const int *p = table_begin; p != table_end; p++) total += *p;
  return total;
}

//--- second.c
__attribute__((section(".hooks"))) const int second = 100;

//--- last.c
__attribute__((section(".hooks"), used, aligned(4))) const int table_end[0] = {};
