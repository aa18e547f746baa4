/* A function that does not come back: the budget of instructions ends it. */
// layout: near
// build: gcc -O2 -fno-pic
// call: fine() = 3i32
// call: spin() = void
// fault: budget
// budget: 5000000
volatile int counter;
int step(void);
int fine(void) { return step() + 2; }
void spin(void) { for (;;) counter = 0; }

//--- step.c
extern volatile int counter;
int step(void) { return ++counter; }
