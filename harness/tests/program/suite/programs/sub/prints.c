#include <stdio.h>
int main(void) { puts("one"); puts("2"); return 0; }
