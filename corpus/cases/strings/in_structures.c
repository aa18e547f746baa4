/* Character arrays inside structures beside pointers to literals. */
// call: check(0i32) = 97i32
// call: check(1i32) = 102i32
// call: note(1i32) = 115i32
struct entry { char key[4]; const char *note; };
extern const struct entry entries[2];
int check(int i) { return entries[i].key[0]; }
int note(int i) { return entries[i].note[0]; }

//--- entries.c
struct entry { char key[4]; const char *note; };
const struct entry entries[2] = {{"abc", "first"}, {"fgh", "second"}};
