/* A pointer to a pointer to a pointer, each level in an object of its own. */
// call: follow() = 5i32
// memory: value = 6i32
extern int ***const top;
int follow(void) { return (***top)++; }

//--- top.c
extern int **middle;
int ***const top = &middle;

//--- middle.c
extern int *bottom;
int **middle = &bottom;

//--- bottom.c
int value = 5;
int *bottom = &value;
