/* M profile: vectors, and in and out of the tested program. */
#include "cortex-m.h"

    .syntax unified
    .thumb
    .section .vectors, "a"
    .word   stack_end
    .word   _start
    .rept   254
    .word   exception
    .endr

    .text
    .globl _start, cpu_enter
    .thumb_func
_start:
    ldr     r0, =bss_start
    ldr     r1, =image_end
    movs    r2, #0
1:  str     r2, [r0]
    adds    r0, #4
    cmp     r0, r1
    blo     1b
    bl      bare_main

/* u32 cpu_enter(void): runs the program with what is in saved and in the frame on its stack, until an exception. Returns which one
   it was. The system call is the agent's own: what it was interrupted with waits on its stack until the program is left. */
    .thumb_func
cpu_enter:
    svc     #0
    ldr     r0, =saved
    ldr     r0, [r0, #36]
    bx      lr

    .thumb_func
exception:
    mrs     r0, ipsr
    tst     lr, #4
    bne     leave
    cmp     r0, #11
    bne     .                           /* the agent's own fault; the host notices its silence */

    push    {r4-r11, lr}
    ldr     r0, =saved
    ldr     r1, [r0, #32]
    msr     psp, r1
    ldr     r1, =interrupt
    ldm     r1, {r1-r3}
    str     r3, [r1]
    ldr     r1, =MPU_CONTROL
    movs    r2, #MPU_ON
    str     r2, [r1]
    movs    r2, #1
    msr     control, r2
    dsb
    isb
    ldm     r0, {r4-r11}
    orr     lr, lr, #4
    bx      lr

leave:
    mrs     r1, psp
    ldr     r2, =saved
    stm     r2!, {r4-r11}
    str     r1, [r2]
    str     r0, [r2, #4]
    ldr     r1, =interrupt
    ldm     r1, {r1-r3}
    str     r3, [r2]
    ldr     r1, =MPU_CONTROL
    movs    r2, #0
    str     r2, [r1]
    msr     control, r2
    dsb
    isb
    pop     {r4-r11, lr}
    bx      lr
    .ltorg

    .bss
    .balign 8
    .globl saved, interrupt
saved:                                  /* r4 to r11 of the program, its stack pointer, the exception */
    .skip   40
interrupt:                              /* where it is enabled and disabled, and its bit */
    .skip   12
    .balign 8
    .skip   0x2000
stack_end:
