/* exit ends the call where it is, with a status; what was printed before counts. */
// for: STATUS = 0 3 77
// call: leave() = void
// prints: "leaving\n"
// exit: $STATUS
int puts(const char *);
void leave_now(int);
int after;
void leave(void) { puts("leaving"); leave_now(STATUS); after = 1; puts("not reached"); }

//--- leave.c
void exit(int) __attribute__((noreturn));
void leave_now(int status) { if (status < 1000) exit(status); }
