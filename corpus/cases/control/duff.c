/* A switch into the middle of a loop. */
// call: copy(1i32) = 1i32
// call: copy(7i32) = 28i32
// call: copy(10i32) = 55i32
extern const int source[10];
extern int target[10];
int copy(int n) {
  const int *s = source;
  int *t = target, rounds = (n + 3) / 4, sum = 0;
  switch (n % 4) {
  case 0: do { *t++ = *s++; /* fall through */
  case 3: *t++ = *s++; /* fall through */
  case 2: *t++ = *s++; /* fall through */
  case 1: *t++ = *s++;
    } while (--rounds > 0);
  }
  for (int i = 0; i < n; i++) sum += target[i];
  return sum;
}

//--- arrays.c
const int source[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
int target[10];
