/* AArch64 Linux: entry, system calls, and in and out of the tested program. */
#include "../registers64.h"
    .text
    .globl _start, syscall6, run_enter, run_return, run_leave, run_restore, run_slots, run_slots_end, run_arrive, run_arrived, run_kept
_start:
    mov     x29, #0
    mov     x30, #0
    adrp    x0, stack_end
    add     x0, x0, :lo12:stack_end
    mov     sp, x0
    bl      linux_main
    brk     #1

syscall6:
    mov     x8, x0
    mov     x0, x1
    mov     x1, x2
    mov     x2, x3
    mov     x3, x4
    mov     x4, x5
    mov     x5, x6
    svc     #0
    ret

    .macro  keep
    adrp    x9, kept
    add     x9, x9, :lo12:kept
    mov     x10, sp
    stp     x19, x20, [x9]
    stp     x21, x22, [x9, #16]
    stp     x23, x24, [x9, #32]
    stp     x25, x26, [x9, #48]
    stp     x27, x28, [x9, #64]
    stp     x29, x30, [x9, #80]
    str     x10, [x9, #96]
    .endm

run_enter:
    keep
    mov     sp, x0
run_restore:
    mov     x8, #139                    /* rt_sigreturn */
    svc     #0
    brk     #2

/* x0: a register file (struct registers). */
run_return:
    keep
    add     x1, x0, #288
    ldp     w2, w3, [x1], #8
    msr     fpcr, x2
    msr     fpsr, x3
    vectors ldr, x1
    ldr     x1, [x0, #264]
    msr     nzcv, x1
    ldr     x1, [x0, #248]
    mov     sp, x1
    general ldp, x0
    ldp     x28, x29, [x0, #224]
    ldr     x30, [x0, #240]
    ldp     x0, x1, [x0]
    ret

/* To be copied to where gates get. */
run_slots:
    .rept   257
    stp     x29, x30, [sp, #-16]
    bl      1f
    .endr
1:  ldr     x29, 2f
    br      x29
    .balign 8
2:  .xword  run_arrive
run_slots_end:

run_arrive:
    adrp    x29, run_kept
    add     x29, x29, :lo12:run_kept
    stp     x0, x1, [x29]
    general stp, x29
    str     x28, [x29, #224]
    ldp     x0, x1, [sp, #-16]
    stp     x0, x1, [x29, #232]
    mov     x0, sp
    str     x0, [x29, #248]
    mrs     x0, nzcv
    str     x0, [x29, #264]
    add     x1, x29, #288
    mrs     x2, fpcr
    mrs     x3, fpsr
    stp     w2, w3, [x1], #8
    vectors str, x1
    mov     x0, x30
    b       1f
run_arrived:

run_leave:
    mov     x0, #0
1:  adrp    x9, kept
    add     x9, x9, :lo12:kept
    ldp     x19, x20, [x9]
    ldp     x21, x22, [x9, #16]
    ldp     x23, x24, [x9, #32]
    ldp     x25, x26, [x9, #48]
    ldp     x27, x28, [x9, #64]
    ldp     x29, x30, [x9, #80]
    ldr     x10, [x9, #96]
    mov     sp, x10
    ret

    .bss
    .balign 16
kept:
    .skip   112
/* The program's registers as it passed a gate (struct registers). */
run_kept:
    .skip   816
    .skip   0x10000
stack_end:
    .section .note.GNU-stack, "", %progbits
