/* A state machine whose states are functions of two objects that return the next state. */
// call: run("aabbc") = 32i32
// call: run("c") = 30i32
// call: run("abab") = -1i32
struct state { struct state (*next)(char); int accepted; };
struct state start(char);
int visits;
int run(const char *text) {
  struct state s = {start, -1};
  for (visits = 0; *text; text++) s = s.next(*text);
  return s.accepted < 0 ? -1 : s.accepted + visits;
}

//--- states.c
struct state { struct state (*next)(char); int accepted; };
extern int visits;
struct state start(char);
static struct state done(char c) { return (struct state){done, c == 0 ? 0 : 30}; }
static struct state in_b(char c) {
  if (c == 'b') return (struct state){in_b, -1};
  return c == 'c' ? (struct state){done, 30} : (struct state){start, -1};
}
struct state start(char c) {
  if (c == 'a') { visits++; return (struct state){start, -1}; }
  return c == 'b' ? (struct state){in_b, -1} : (struct state){done, 30};
}
