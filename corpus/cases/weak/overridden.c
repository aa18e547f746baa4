/* A weak function and a weak variable, each replaced by the strong definition of another object. */
// call: use() = 42i32
__attribute__((weak)) int function(void) { return 1; }
__attribute__((weak)) int variable = 2;
int use(void) { return function() + variable; }

//--- strong.c
int function(void) { return 30; }
int variable = 12;
