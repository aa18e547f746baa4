/* A table of doubles and the sum over it: data of eight bytes, aligned. */
// call: sum(0i32) = 15.5f64
// call: sum(2i32) = 12.5f64
extern const double table[5];
double sum(int from) { double s = 0; for (int i = from; i < 5; i++) s += table[i]; return s; }

//--- table.c
const double table[5] = {1.25, 1.75, 3.0, 4.25, 5.25};
