/* Vectors of 16 bytes in variables: loads and stores of the widest kind. */
// call: sum(1i32) = 114i32
// memory: result = 2i32 3i32 4i32 105i32
typedef int vector __attribute__((vector_size(16)));
extern vector input, result;
int sum(int x) {
  vector ones = {x, x, x, x};
  result = input + ones;
  return result[0] + result[1] + result[2] + result[3];
}

//--- values.c
typedef int vector __attribute__((vector_size(16)));
vector input = {1, 2, 3, 104}, result;
