/* Characters one by one, in loops of two objects. */
// call: countdown(5i32) = void
// prints: "5 4 3 2 1 !\n"
int putchar(int);
void number(int);
void countdown(int n) { for (; n; n--) number(n); putchar('!'); putchar('\n'); }

//--- number.c
int putchar(int);
void number(int n) { putchar('0' + n); putchar(' '); }
