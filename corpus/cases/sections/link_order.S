/* A section with SHF_LINK_ORDER goes where the section it is linked to goes: here three of them, written in another order. */
// arch: armv7
// call: orders_agree() = 1i32
    .syntax unified
    .arch armv7-a
    .macro piece name
    .section .text.\name, "ax", %progbits
    .arm
    .globl \name
    .type \name, %function
\name:
    .fnstart
    mov  r0, #0
    bx   lr
    .cantunwind
    .fnend
    .endm
    piece third
    piece first
    piece second

//--- check.c
#include <stdint.h>
extern const uint32_t __exidx_start[], __exidx_end[];
int first(void), second(void), third(void);
static uintptr_t function(const uint32_t *e) { return (uintptr_t)e + (uintptr_t)((int32_t)(*e << 1) >> 1); }
int orders_agree(void) {
  if (first() + second() + third()) return 2;
  for (const uint32_t *e = __exidx_start + 2; e < __exidx_end; e += 2)
    if (function(e - 2) > function(e)) return 0;
  return 1;
}
