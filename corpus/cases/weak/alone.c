/* A weak definition that nobody replaces is a definition. */
// call: use() = 3i32
// call: where() = &variable
int function(void);
extern int variable;
int use(void) { return function() + variable; }
int *where(void) { return &variable; }

//--- weak.c
__attribute__((weak)) int function(void) { return 1; }
__attribute__((weak)) int variable = 2;
