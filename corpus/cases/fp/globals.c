/* Floating-point variables of another object, single and double. */
// call: scale(2f32) = 3f32
// call: mean(1f64, 4f64) = 3.75f64
// memory: total = 2.5f64
extern float factor;
extern double total;
float scale(float x) { return factor * x; }
double mean(double a, double b) { total = (a + b) / 2; return total + 1.25; }

//--- values.c
float factor = 1.5f;
double total = 0;
