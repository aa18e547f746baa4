/* The shape of a kernel module: several objects joined by `ld -r` with a script that has an order of its own. Code that runs once
   and code that ends it stand in sections of their own, pieces of a section become one, and what was local to an object is now
   an addend to a section that has more in it. */
// partial: module.o = first.c second.c module.lds
// flags: -ffunction-sections -fdata-sections
// call: start(5i32) = 47i32
// call: work(3i32) = 77i32
// call: stop() = 4i32
int module_init(int), module_exit(void), module_work(int);
int start(int x) { return module_init(x); }
int work(int x) { return module_work(x); }
int stop(void) { return module_exit(); }

//--- first.c
#define once __attribute__((section(".init.text"), noinline))
#define at_end __attribute__((section(".exit.text"), noinline))
#define once_data __attribute__((section(".init.data")))
extern int shared_state[];
extern const int weights[];
int second_part(int);
static int limit = 40;
static int used;
static once_data int initial[3] = {1, 2, 4};
static int once prepare(int x) { used++; return initial[1] + x; }
int once module_init(int x) { limit += initial[0] - 1; shared_state[1] = limit; return limit + prepare(x); }
int at_end module_exit(void) { return used + shared_state[2]; }
int module_work(int x) { used++; return second_part(x) + weights[1]; }

//--- second.c
#define rarely __attribute__((section(".data..read_mostly")))
int shared_state[4] = {9, 8, 2, 6};
const int weights[3] = {5, 7, 11};
static rarely int factor = 10;
static int (*volatile hidden)(int);
static int multiply(int x) { return x * factor + shared_state[1]; }
int second_part(int x) { hidden = multiply; return hidden(x); }

//--- module.lds
SECTIONS {
  .init.text 0 : { *(.init.text) }
  .exit.text 0 : { *(.exit.text) }
  .data 0 : { *(.data .data.*) }
  .init.data 0 : { *(.init.data) }
  .text 0 : { *(.text .text.*) }
  .rodata 0 : { *(.rodata .rodata.*) }
  .bss 0 : { *(.bss .bss.*) }
}
