/* A weak reference does not bring a member in; a strong one in another object does. */
// archive: libx.a = optional.c needed.c
// call: optional_there() = 0i32
// call: needed_there() = 5i32
__attribute__((weak)) int optional(void);
__attribute__((weak)) int needed(void);
int optional_there(void) { return optional ? optional() : 0; }
int needed_there(void) { return needed ? needed() : 0; }

//--- strong.c
int needed(void);
int strong(void) { return needed(); }

//--- optional.c
int optional(void) { return 4; }

//--- needed.c
int needed(void) { return 5; }
