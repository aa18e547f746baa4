/* A table whose entries are constant in one object and writable in another is one table: between its bounds are the entries, all of
   them, and nothing else. Writable as a whole, for that is the union. */
// layout: near far high random:1 random:2 random:3 random:4
// call: sum() = 61i32
// call: count() = 3i32
// call: set(9i32) = 9i32
// call: sum() = 59i32
struct entry { int tag, value; };

extern struct entry __start_entries[], __stop_entries[];
__attribute__((section("entries"), used)) static const struct entry constant = {0x7ab1e, 10};
int filler[5] = {1, 2, 3, 4, 5};
int sum(void) {
  int sum = 0;
  for (struct entry *e = __start_entries; e != __stop_entries; e++) sum += e->tag == 0x7ab1e ? e->value : 1000;
  return sum;
}
int count(void) { return __stop_entries - __start_entries; }
int set(int value) { __start_entries[1].value = value; return __start_entries[1].value; }

//--- writable.c
struct entry { int tag, value; };
__attribute__((section("entries"), used)) struct entry writable = {0x7ab1e, 11};
const int constants[7] = {1, 2, 3, 4, 5, 6, 7};

//--- third.c
struct entry { int tag, value; };
__attribute__((section("entries"), used)) static const struct entry constant = {0x7ab1e, 40};
