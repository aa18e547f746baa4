/* A structure too large for registers: the caller passes a hidden pointer to the result, across objects. */
// call: total(3i32) = 36i32
struct big { int v[8]; };
struct big fill(int);
int total(int x) {
  struct big b = fill(x);
  int s = 0;
  for (int i = 0; i < 8; i++) s += b.v[i];
  return s + 8;
}

//--- fill.c
struct big { int v[8]; };
struct big fill(int x) {
  struct big b;
  for (int i = 0; i < 8; i++) b.v[i] = i;
  b.v[0] -= x - 3;
  return b;
}
