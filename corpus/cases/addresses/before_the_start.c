/* An address below the symbol it is made from: a negative addend, in code and in data. */
// call: from_code() = 11i32
// call: from_data() = 22i32
extern int marks[3];
extern int *const below;
int from_code(void) { int *p = (int *)((char *)marks - 4); __asm__ volatile("" : "+r"(p)); return p[2] + 1; }
int from_data(void) { return below[2] + 12; }

//--- marks.c
int marks[3] = {5, 10, 15};
int *const below = (int *)((char *)marks - 4);
