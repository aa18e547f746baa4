/* Code without unwind entries behind a function that has one, and the end of all code, get entries of the linker's own: an unwinder
   looks for the last entry at or below an address, and would take that of the function before. EXIDX_CANTUNWIND is 1 (EHABI32). */
// arch: armv7
// call: entry_of(&bare) = 1u32
// call: entry_of(&behind) = 0x80b0b0b0u32
// call: last() = 1u32
// keep: before bare behind
// covers: R_ARM_PREL31
#include <stdint.h>
extern const uint32_t __exidx_start[], __exidx_end[];
static uint32_t function(const uint32_t *e) { return (uint32_t)e + (uint32_t)((int32_t)(*e << 1) >> 1); }
uint32_t entry_of(uint32_t pc) {
  for (const uint32_t *e = __exidx_start; e < __exidx_end; e += 2)
    if (function(e) == pc) return e[1];
  return 0;
}
uint32_t last(void) { return __exidx_end[-1]; }

//--- bare.S
    .syntax unified
    .arch armv7-a
    .arm
    .macro piece name
    .section .text.\name, "ax", %progbits
    .globl \name
    .type \name, %function
\name:
    .endm
    piece before
    .fnstart
    bx   lr
    .fnend
    piece bare
    bx   lr
    piece behind
    .fnstart
    bx   lr
    .fnend
    .globl __aeabi_unwind_cpp_pr0
    .type __aeabi_unwind_cpp_pr0, %function
__aeabi_unwind_cpp_pr0:
    bx   lr
