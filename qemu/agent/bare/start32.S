/* ARMv7-A: from reset to bare_main in supervisor mode, and in and out of the tested program in user mode. */
#include "bare.h"

    .syntax unified
    .arm
    .arch armv7ve
    .arch_extension sec
    .section .start, "ax"
    .globl _start
_start:
    mrc     p15, 0, r0, c0, c0, 5
    tst     r0, #0xff
    bne     park
    cpsid   aif, #0x13
    ldr     r3, =OFFSET                 /* what is linked at X is at X - OFFSET as yet */
    ldr     r0, =bss_start
    ldr     r1, =image_end
    sub     r0, r0, r3
    sub     r1, r1, r3
    mov     r2, #0
1:  str     r2, [r0], #4
    cmp     r0, r1
    blo     1b
    ldr     r0, =0xff04                 /* MAIR0: 0 device, 1 normal */
    mcr     p15, 0, r0, c10, c2, 0
    mcr     p15, 0, r2, c10, c2, 1
    ldr     r0, =(1 << 31 | 1 << 8 | 1 << 10 | 3 << 12)     /* long descriptors, write-back, shareable; one table */
    mcr     p15, 0, r0, c2, c0, 2
    ldr     r0, =gigabytes
    sub     r0, r0, r3
    mcrr    p15, 0, r0, r2, c2
    mcr     p15, 0, r2, c8, c7, 0
    mcr     p15, 0, r2, c7, c5, 0
    dsb     sy
    isb
    mrc     p15, 0, r0, c1, c0, 0
    ldr     r1, =(1 | 1 << 2 | 1 << 11 | 1 << 12)
    orr     r0, r0, r1
    bic     r0, r0, #(1 << 1)           /* alignment is checked where the architecture wants it */
    bic     r0, r0, #(1 << 13)
    mcr     p15, 0, r0, c1, c0, 0
    isb
    ldr     pc, =upper
upper:
    ldr     r0, =vectors
    mcr     p15, 0, r0, c12, c0, 0
    ldr     r0, =(0xf << 20)
    mcr     p15, 0, r0, c1, c0, 2
    isb
    .fpu    neon-vfpv4
    mov     r0, #(1 << 30)
    vmsr    fpexc, r0
    ldr     r0, =saved                  /* where the other modes put what they interrupted */
    cps     #0x17
    mov     sp, r0
    cps     #0x1b
    mov     sp, r0
    cps     #0x12
    mov     sp, r0
    cps     #0x13
    ldr     sp, =stack_end
    bl      bare_main
park:
    wfi
    b       park
    .ltorg

    .text
/* u32 cpu_enter(void): runs in user mode with what is in saved, until an exception. Returns which vector it was. */
    .globl cpu_enter
cpu_enter:
    push    {r4-r12, lr}
    ldr     lr, =saved
    ldr     r0, [lr, #64]
    msr     spsr_cxsf, r0
    ldr     r0, [lr, #60]
    push    {r0}                        /* the return address has to come by way of this mode's lr */
    ldmia   lr, {r0-r14}^
    nop
    pop     {lr}
    movs    pc, lr

/* From abort, undefined and interrupt mode: sp is saved, lr where it was. */
    .macro leave vector, distance
    .if \distance
    sub     lr, lr, #\distance
    .endif
    stmia   sp, {r0-r14}^
    nop
    str     lr, [sp, #60]
    mrs     r0, spsr
    str     r0, [sp, #64]
    mov     r0, #\vector
    b       left
    .endm

undefined:
    leave   1, 0
prefetch_abort:
    leave   3, 4
data_abort:
    leave   4, 8
interrupt:
    leave   6, 4
call:                                   /* this mode's sp is the agent's */
    push    {r0, lr}
    ldr     lr, =saved
    stmia   lr, {r0-r14}^
    nop
    pop     {r0, r1}
    str     r1, [lr, #60]
    mrs     r1, spsr
    str     r1, [lr, #64]
    mov     r0, #2
left:
    cps     #0x13
    clrex
    pop     {r4-r12, pc}

    .globl cpu_load_vectors, cpu_store_vectors
cpu_load_vectors:
    vldmia  r0!, {d0-d15}
    vldmia  r0, {d16-d31}
    vmsr    fpscr, r1
    bx      lr
cpu_store_vectors:
    vstmia  r0!, {d0-d15}
    vstmia  r0, {d16-d31}
    vmrs    r0, fpscr
    bx      lr

    .balign 32
vectors:
    b       .
    b       undefined
    b       call
    b       prefetch_abort
    b       data_abort
    b       .
    b       interrupt
    b       .

    .section .tables, "aw"
    .balign 4096
    .globl gigabytes, third
gigabytes:
    .word   BLOCK_NORMAL, 0             /* where it is loaded, until the first reset */
    .word   0, 0
    .word   third - OFFSET + TABLE, 0
    .fill   509, 8, 0
third:
    .fill   WINDOW_FIRST, 8, 0
    .set    block, WINDOW_FIRST
    .rept   MMIO_FIRST - WINDOW_FIRST
    .word   (block << BLOCK_SHIFT) + BLOCK_NORMAL, 0
    .set    block, block + 1
    .endr
    .rept   512 - MMIO_FIRST
    .word   (block << BLOCK_SHIFT) + BLOCK_DEVICE, 0
    .set    block, block + 1
    .endr

    .bss
    .balign 16
    .globl saved
saved:                                  /* r0 to r14 of user mode, pc, status */
    .skip   72
    .balign 16
    .skip   0x10000
stack_end:
