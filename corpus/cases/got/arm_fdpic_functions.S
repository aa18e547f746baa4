/* The function-descriptor ABI: a pointer to a function is the address of two words, the function and the table of its module, which
   goes into r9. Every way to such a pointer gives the same one; a weak function that is nowhere has none. */
// arch: armv7
// build: clang
// layout: near high
// call: by_data() = 42u32
// call: by_offset() = 42u32
// call: by_slot() = 42u32
// call: thumb() = 43u32
// call: equal() = 0u32
// call: nowhere() = 0u32
// covers: R_ARM_FUNCDESC R_ARM_GOTOFFFUNCDESC R_ARM_GOTFUNCDESC
    .syntax unified
    .arch armv7-a
    .macro function name
    .globl \name
    .type \name, %function
\name:
    .endm
    .macro word name, symbol
    .reloc ., R_ARM_\name, \symbol
    .word 0
    .endm
    .macro enter                        // r9: the table of this module
    push {r4, r9, lr}
    ldr  r9, =origin
    ldr  r9, [r9]
    .endm
    .macro invoke                       // what r0 points at, which finds r9 by itself
    ldr  r9, [r0, #4]
    ldr  r0, [r0]
    blx  r0
    pop  {r4, r9, pc}
    .endm
    .text
    .arm
function callee                         // returns what is at an offset from its own table
    ldr  r0, 1f
    ldr  r0, [r9, r0]
    bx   lr
1:  .word value(GOTOFF)
    .thumb
    .thumb_func
function thumb_callee
    ldr  r0, 1f
    ldr  r0, [r9, r0]
    adds r0, #1
    bx   lr
    .p2align 2
1:  .word value(GOTOFF)
    .arm
function by_data
    enter
    ldr  r0, =pointer
    ldr  r0, [r0]
    invoke
function by_offset
    enter
    ldr  r0, 1f
    add  r0, r0, r9
    invoke
1:  word GOTOFFFUNCDESC, callee
function by_slot
    enter
    ldr  r0, 1f
    ldr  r0, [r9, r0]
    invoke
1:  word GOTFUNCDESC, callee
function thumb
    enter
    ldr  r0, 1f
    ldr  r0, [r9, r0]
    invoke
1:  word GOTFUNCDESC, thumb_callee
function equal
    enter
    ldr  r0, =pointer
    ldr  r0, [r0]
    ldr  r1, 1f
    add  r1, r1, r9
    ldr  r2, 2f
    ldr  r2, [r9, r2]
    sub  r1, r1, r0
    sub  r2, r2, r0
    orr  r0, r1, r2
    pop  {r4, r9, pc}
1:  word GOTOFFFUNCDESC, callee
2:  word GOTFUNCDESC, callee
function nowhere
    enter
    ldr  r0, =nobody
    ldr  r0, [r0]
    ldr  r1, 1f
    ldr  r1, [r9, r1]
    orr  r0, r0, r1
    pop  {r4, r9, pc}
1:  word GOTFUNCDESC, nothing
    .weak nothing
    .type nothing, %function
    .ltorg
    .data
    .p2align 2
origin:
    .reloc ., R_ARM_BASE_ABS, _GLOBAL_OFFSET_TABLE_
    .word 0
pointer:
    word FUNCDESC, callee
nobody:
    word FUNCDESC, nothing
    .globl value
value:
    .word 42
