/* What several objects of a module define is in groups (COMDAT). `ld -r` takes one of each, and with this command it is a group no
   more: its pieces become parts of the sections that the script says, as the kernel has it for its modules. */
// build: gcc -O0 -fno-pic | gcc -O2 -fno-pic | gcc -O2 -fPIC
// partial: module.o = first.cc second.cc module.lds
// call: both(4i32) = 62i32
// call: both(4i32) = 74i32
extern "C" int from_first(int), from_second(int);
extern "C" int both(int x) { return from_first(x) + from_second(x); }

//--- shared.h
template <class T> __attribute__((noinline)) T add(T x) { static T sum = 10; sum += x; return sum; }
inline __attribute__((noinline)) int constant(int x) { static const int table[5] = {1, 3, 5, 7, 9}; return table[x & 3]; }

//--- first.cc
#include "shared.h"
extern "C" __attribute__((section(".init.text"))) int from_first(int x) { return add(x) + constant(x); }

//--- second.cc
#include "shared.h"
extern "C" int from_second(int x) { return 2 * add(0) + constant(x + 1) + 16; }

//--- module.lds
FORCE_GROUP_ALLOCATION
SECTIONS {
  .init.text 0 : { *(.init.text) }
  .data 0 : { *(.data .data.*) }
  .rodata 0 : { *(.rodata .rodata.*) }
  .text 0 : { *(.text .text.*) }
  .bss 0 : { *(.bss .bss.*) }
}
