/* Nested loops with breaks over a matrix in another object. */
// call: find(5i32) = 11i32
// call: find(99i32) = -1i32
// call: trace() = 15i32
extern const int matrix[3][3];
int find(int v) {
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) {
      if (matrix[i][j] == v) return 10 * i + j;
      if (matrix[i][j] < 0) break;
    }
  return -1;
}
int trace(void) { int s = 0, i = 0; do s += matrix[i][i]; while (++i < 3); return s; }

//--- matrix.c
const int matrix[3][3] = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
