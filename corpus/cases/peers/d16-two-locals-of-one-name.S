/* Defect 16: two local symbols of one name in one object, as `ld -r` makes them, both by way of the GOT: an entry belongs to
   a symbol, not to a name. */
// arch: -aarch64_ilp32
// partial: both.o = first.S second.S
// call: from_first() = 111i32
// call: from_second() = 222i32
//--- first.S
#if defined(__aarch64__)
    .text
    .globl from_first
    .type from_first, %function
from_first:
    adrp x0, :got:same
    ldr  x0, [x0, :got_lo12:same]
    ldr  w0, [x0]
    ret
#else
    .syntax unified
    .text
    .arm
    .globl from_first
    .type from_first, %function
from_first:
    ldr  r0, 2f
1:  ldr  r0, [pc, r0]
    ldr  r0, [r0]
    bx   lr
2:  .word same(GOT_PREL) + (. - 1b - 8)
#endif
    .section .data.first, "aw"
    .p2align 2
same:
    .word 111

//--- second.S
#if defined(__aarch64__)
    .text
    .globl from_second
    .type from_second, %function
from_second:
    adrp x0, :got:same
    ldr  x0, [x0, :got_lo12:same]
    ldr  w0, [x0]
    ret
#else
    .syntax unified
    .text
    .arm
    .globl from_second
    .type from_second, %function
from_second:
    ldr  r0, 2f
1:  ldr  r0, [pc, r0]
    ldr  r0, [r0]
    bx   lr
2:  .word same(GOT_PREL) + (. - 1b - 8)
#endif
    .section .data.second, "aw"
    .p2align 2
same:
    .word 222
