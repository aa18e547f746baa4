/* Tentative definitions of one variable in two objects are one variable, as large as the larger of them. */
// flags: -fcommon
// call: set(3i32) = void
// call: get() = 12i32
// memory: area+12 = 9i32
int area[2];
int counter;
void set(int v) { counter = v; area[1] = v; }

//--- larger.c
int area[4];
int counter;
int get(void) { area[3] = 9; return area[3] + area[1] + counter - 3; }
