/* Two objects joined by `ld -r` before the link: their sections are one, and what was an addend to a section is a larger one. */
// partial: joined.o = one.c two.c
// call: use(2i32) = 128i32
int from_one(int), from_two(int);
int use(int x) { return from_one(x) + from_two(x); }

//--- one.c
static int numbers[4] = {1, 2, 3, 4};
int *volatile cursor_one = &numbers[2];
int from_one(int x) { return *cursor_one + x; }

//--- two.c
static int numbers[4] = {10, 20, 121, 40};
static int *const table[2] = {&numbers[2], &numbers[3]};
int from_two(int x) { return *((int *volatile const *)table)[0] + x; }
