/* Recursion that changes state on every level, so every return has to change it back. */
// arch: armv7
// flags(ping.c): -marm
// flags(pong.c): -mthumb
// call: ping(9i32) = 45i32
//--- ping.c
int pong(int);
int ping(int n) { return n == 0 ? 0 : n + pong(n - 1); }

//--- pong.c
int ping(int);
int pong(int n) { return n == 0 ? 0 : n + ping(n - 1); }
