/* Code, data, constants and zero-fill in sections with names of their own: the flags say what they are, not the names. */
// call: fast(2i32) = 112i32
// memory: my_data = 12i32
__attribute__((section("constants_of_mine"))) extern const int my_constant;
extern int my_data, my_zero;
__attribute__((section("code_of_mine"), noinline)) int fast(int x) { my_data += x; return my_data + my_constant + my_zero; }

//--- storage.c
__attribute__((section("constants_of_mine"))) const int my_constant = 100;
__attribute__((section("data_of_mine"))) int my_data = 10;
__attribute__((section(".bss.mine"))) int my_zero;
