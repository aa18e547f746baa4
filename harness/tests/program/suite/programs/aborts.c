#include <stdlib.h>
static void check(int x) { if (x != 2) abort(); }
int main(void) { check(3); return 0; }
