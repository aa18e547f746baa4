/* Functions of floating-point values, called through a table. */
// call: apply(0i32, 2f64) = 4.5f64
// call: apply(1i32, 2f64) = 5f64
double add(double), mul(double);
static double (*const table[])(double) = {add, mul};
double apply(int i, double x) { return table[i](x); }

//--- functions.c
static volatile double addend = 2.5;
double add(double x) { return x + addend; }
double mul(double x) { return x * addend; }
