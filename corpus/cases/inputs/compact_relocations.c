/* Relocations written as differences (CREL), as clang can. Its CREL for ARM is wrong: calls lose the addend that stands in them. */
// arch: aarch64
// build: clang -O2 -fno-pic -Wa,--crel,--allow-experimental-crel
// call: use(2i32) = 128i32
static int numbers[4] = {1, 2, 120, 4};
int *volatile cursor = &numbers[2];
int other(int x);
int use(int x) { return *cursor + other(x) + 2; }

//--- second.c
extern int *volatile cursor;
int other(int x) { return x * 3 + (cursor == 0); }
