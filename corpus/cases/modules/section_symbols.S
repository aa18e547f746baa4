/* References to symbols of sections with addends, in a module that `ld -r` has joined: behind the join, an addend counts from the
   start of all pieces of a section, and REL has it in the field. The code of the second object is behind that of the first. */
// arch: armv7 thumbv7 aarch64 -aarch64_ilp32
// partial: module.o = first.S second.S module.lds
// call: first_value() = 12i32
// call: second_value() = 24i32
// call: through_code() = 46i32
// covers(aarch64): R_AARCH64_ABS64 R_AARCH64_ADR_PREL_PG_HI21 R_AARCH64_CALL26
// covers(arm): R_ARM_ABS32
    .text
    .globl unused_here
unused_here:
    .word 0

//--- names.h
#ifdef __aarch64__
    .macro function name
    .globl \name
    .type \name, %function
\name:
    .endm
    .macro value of
    adrp x9, \of
    add  x9, x9, :lo12:\of
    ldr  x9, [x9]
    ldr  w0, [x9]
    ret
    .endm
#define POINTER .xword
#define WIDTH 3
#else
    .syntax unified
#ifdef __thumb__
    .thumb
#endif
    .macro function name
    .globl \name
    .type \name, %function
#ifdef __thumb__
    .thumb_func
#endif
\name:
    .endm
    .macro value of
    ldr  r3, 1f
    ldr  r3, [r3]
    ldr  r0, [r3]
    bx   lr
    .p2align 2
1:  .word \of
    .endm
#define POINTER .word
#define WIDTH 2
#endif

//--- first.S
#include "names.h"
    .section .init.text, "ax", %progbits
    .p2align 2
    function first_value
    value .Lpointer
    .data
    .p2align WIDTH
    .word 11
    .word 12
    .p2align WIDTH
.Lpointer:
    POINTER .data + 4

//--- second.S
#include "names.h"
    .section .init.text, "ax", %progbits
    .p2align 2
    function second_value
    value .Lpointer
    .section .exit.text, "ax", %progbits
    .p2align 2
    .space 8
local_code:
#ifdef __aarch64__
    mov w0, #46
    ret
    .section .init.text, "ax", %progbits
    function through_code
    str x30, [sp, #-16]!
    bl  .exit.text + 8
    ldr x30, [sp], #16
    ret
#else
    mov r0, #46
    bx lr
    .section .init.text, "ax", %progbits
    .p2align 2
    function through_code
    ldr r3, 1f
#ifdef __thumb__
    orr r3, r3, #1
#endif
    bx  r3
    .p2align 2
1:  .word .exit.text + 8
#endif
    .data
    .p2align WIDTH
    .word 21
    .word 22
    .word 23
    .word 24
    .p2align WIDTH
.Lpointer:
    POINTER .data + 12

//--- module.lds
SECTIONS {
  .exit.text 0 : { *(.exit.text) }
  .init.text 0 : { *(.init.text) }
  .data 0 : { *(.data) }
  .text 0 : { *(.text) }
}
