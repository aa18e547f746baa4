/* Constants that do not fit an instruction: they come from memory, through the relocations of a literal or of a section. */
// call: add(1f64) = 4.140625f64
// call: addf(1f32) = 1000001.5f32
// call: mul(2f64) = 0.00000762939453125f64
double add(double x) { return x + 3.140625; }
float addf(float x) { return x + 1000000.5f; }
double mul(double x) { return x * 0.000003814697265625; }
