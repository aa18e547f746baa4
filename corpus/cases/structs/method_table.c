/* Objects in C: a table of functions in one object, chosen by a name in another. */
// call: use("dog") = 3i32
// call: use("bird") = 2i32
// call: use("fish") = -1i32
struct animal { const char *name; int (*legs)(void); const struct animal *next; };
extern const struct animal *const animals;
int strcmp(const char *, const char *);
int use(const char *name) {
  for (const struct animal *a = animals; a; a = a->next) if (!strcmp(a->name, name)) return a->legs();
  return -1;
}

//--- animals.c
struct animal { const char *name; int (*legs)(void); const struct animal *next; };
static int three(void) { return 3; }
int two(void) { return 2; }
static const struct animal bird = {"bird", two, 0};
static const struct animal dog = {"dog", three, &bird};
const struct animal *const animals = &dog;
