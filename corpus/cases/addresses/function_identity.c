/* The address of a function is one value, whoever takes it: code here, code there, and an initialised pointer. */
// call: same() = 7i32
// call: take_here() = &target
// call: take_there() = &target
int target(int);
int (*take_there(void))(int);
extern int (*stored)(int);
int (*take_here(void))(int) { return target; }
int same(void) {
  return (take_here() == take_there()) + 2 * (stored == take_there()) + 4 * (stored(1) == 2);
}

//--- there.c
int target(int x) { return 2 * x; }
int (*take_there(void))(int) { return target; }
int (*stored)(int) = target;
