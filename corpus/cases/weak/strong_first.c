/* The strong definition comes first: the order of the objects does not matter. */
// call: use() = 42i32
int function(void) { return 30; }
int variable = 12;

//--- weak.c
__attribute__((weak)) int function(void) { return 1; }
__attribute__((weak)) int variable = 2;
int use(void) { return function() + variable; }
