/* Comparison with literals that share beginnings and endings. */
// call: find("alpha") = 0i32
// call: find("alphabet") = 1i32
// call: find("bet") = 2i32
// call: find("t") = 3i32
// call: find("x") = -1i32
int strcmp(const char *, const char *);
extern const char *const words[4];
int find(const char *s) { for (int i = 0; i < 4; i++) if (!strcmp(s, words[i])) return i; return -1; }

//--- words.c
const char *const words[4] = {"alpha", "alphabet", "bet", "t"};
