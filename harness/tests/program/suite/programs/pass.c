/* { dg-do run } */
int main(void) { return 0; }
