/* Defect 12: __start_NAME and __stop_NAME around the sections of that name, on every architecture, over several objects. */
// call: sum() = 60i32
// call: bytes() = 12i32
extern const int __start_numbers[], __stop_numbers[];
__attribute__((section("numbers"), used)) static const int ten = 10;
int sum(void) { int s = 0; for (const int *p = __start_numbers; p != __stop_numbers; p++) s += *p; return s; }
int bytes(void) { return (int)((const char *)__stop_numbers - (const char *)__start_numbers); }

//--- more.c
__attribute__((section("numbers"), used)) static const int twenty = 20, thirty = 30;
