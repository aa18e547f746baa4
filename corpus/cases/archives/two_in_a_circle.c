/* Two archives whose members need each other: archives of one link are searched as one group. */
// archive: liba.a = a1.c a2.c
// archive: libb.a = b1.c
// call: use(1i32) = 1234i32
int a1(int);
int use(int x) { return a1(10 * x + 2); }

//--- a1.c
int b1(int);
int a1(int x) { return b1(10 * x + 3); }

//--- b1.c
int a2(int);
int b1(int x) { return a2(10 * x + 4); }

//--- a2.c
int a2(int x) { return x; }
