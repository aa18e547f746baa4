/* A sort that takes the comparison as a function: calls through a pointer, many times, across objects. */
// call: check() = 1i32
// call: comparisons() = 1i32
// memory: numbers = -7i32 -1i32 0i32 2i32 3i32 9i32
void sort(int *, int, int (*)(const int *, const int *));
int numbers[6] = {3, -1, 9, 0, 2, -7};
static int count;
static int compare(const int *a, const int *b) { count++; return (*a > *b) - (*a < *b); }
int check(void) {
  sort(numbers, 6, compare);
  for (int i = 0; i < 5; i++) if (numbers[i] > numbers[i + 1]) return 0;
  return 1;
}
int comparisons(void) { return count >= 5; }

//--- sort.c
void sort(int *v, int n, int (*compare)(const int *, const int *)) {
  for (int i = 1; i < n; i++)
    for (int j = i; j > 0 && compare(&v[j - 1], &v[j]) > 0; j--) { int t = v[j]; v[j] = v[j - 1]; v[j - 1] = t; }
}
