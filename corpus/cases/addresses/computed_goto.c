/* Addresses of labels inside a function, kept in a table: pointers into the middle of code. */
// call: interpret(0i32) = 1023i32
// call: interpret(1i32) = 4i32
int interpret(int which) {
  static const unsigned char programs[2][12] = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}, {1, 1, 1, 1, 2}};
  static void *const labels[] = {&&twice, &&more, &&done};
  const unsigned char *pc = programs[which];
  int value = 0;
  goto *labels[*pc++];
twice: value = 2 * value + 1; goto *labels[*pc++];
more: value += 1; goto *labels[*pc++];
done: return value;
}
