/* AArch64: from reset to bare_main at EL1, and in and out of the tested program at EL0. */
#include "../registers64.h"
#include "bare.h"

    .section .start, "ax"
    .globl _start
_start:
    mrs     x0, mpidr_el1
    tst     x0, #0xff
    b.ne    park
    adr     x0, bss_start               /* where it is loaded: addresses are relative here */
    adr     x1, image_end
1:  str     xzr, [x0], #8
    cmp     x0, x1
    b.lo    1b
    mrs     x0, CurrentEL
    cmp     x0, #3 << 2
    b.ne    2f
    mov     x0, #(1 << 10 | 1)          /* SCR_EL3.RW, NS */
    msr     scr_el3, x0
    msr     cptr_el3, xzr
    mov     x0, #(1 << 31)              /* HCR_EL2.RW */
    msr     hcr_el2, x0
    mov     x0, #0x33ff
    msr     cptr_el2, x0
    mov     x0, #0x3c5                  /* EL1h, all masked */
    msr     spsr_el3, x0
    adr     x0, el1
    msr     elr_el3, x0
    eret
2:  cmp     x0, #2 << 2
    b.ne    el1
    mov     x0, #(1 << 31)
    msr     hcr_el2, x0
    mov     x0, #0x33ff
    msr     cptr_el2, x0
    mov     x0, #0x3c5
    msr     spsr_el2, x0
    adr     x0, el1
    msr     elr_el2, x0
    eret
el1:
    mov     x0, #0xff04                 /* MAIR: 0 device, 1 normal */
    msr     mair_el1, x0
    ldr     x0, =(16 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23)    /* 48 bits, write-back, shareable; no upper half */
    msr     tcr_el1, x0
    adr     x0, top_table
    msr     ttbr0_el1, x0
    tlbi    vmalle1
    dsb     sy
    isb
    /* Translation, caches, SP alignment at EL0; cache and wait instructions for EL0; its RES1 bits. */
    ldr     x0, =(0x30500800 | 1 | 1 << 2 | 1 << 4 | 1 << 12 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 18 | 1 << 26)
    msr     sctlr_el1, x0
    isb
    ldr     x0, =upper
    br      x0
upper:
    ldr     x0, =exceptions
    msr     vbar_el1, x0
    mov     x0, #(3 << 20)              /* CPACR_EL1.FPEN */
    msr     cpacr_el1, x0
    msr     oslar_el1, xzr
    isb
    ldr     x0, =stack_end
    mov     sp, x0
    bl      bare_main
park:
    wfi
    b       park

    .text
/* u64 cpu_enter(u64 *general): runs at EL0 with x0-x30, sp, pc and status from there, until an exception. Returns which
   vector it was (the lower part of its address). */
    .globl cpu_enter
cpu_enter:
    stp     x19, x20, [sp, #-112]!
    stp     x21, x22, [sp, #16]
    stp     x23, x24, [sp, #32]
    stp     x25, x26, [sp, #48]
    stp     x27, x28, [sp, #64]
    stp     x29, x30, [sp, #80]
    str     x0, [sp, #96]
    ldp     x1, x2, [x0, #248]          /* sp, pc */
    msr     sp_el0, x1
    msr     elr_el1, x2
    ldr     x1, [x0, #264]
    msr     spsr_el1, x1
    general ldp, x0
    ldp     x28, x29, [x0, #224]
    ldr     x30, [x0, #240]
    ldp     x0, x1, [x0]
    eret

left:                                   /* x0 and x1 are on the stack, x1 is the vector */
    ldr     x0, [sp, #112]              /* below them what cpu_enter left */
    general stp, x0
    stp     x28, x29, [x0, #224]
    str     x30, [x0, #240]
    ldp     x2, x3, [sp], #16
    stp     x2, x3, [x0]
    mrs     x2, sp_el0
    mrs     x3, elr_el1
    stp     x2, x3, [x0, #248]
    mrs     x2, spsr_el1
    str     x2, [x0, #264]
    mov     x0, x1
    ldp     x21, x22, [sp, #16]
    ldp     x23, x24, [sp, #32]
    ldp     x25, x26, [sp, #48]
    ldp     x27, x28, [sp, #64]
    ldp     x29, x30, [sp, #80]
    ldp     x19, x20, [sp], #112
    ret

/* v0 to v31. */
    .globl cpu_load_vectors, cpu_store_vectors
cpu_load_vectors:
    vectors ldr, x0
    ret
cpu_store_vectors:
    vectors str, x0
    ret

    .balign 2048
exceptions:
    .rept 8                             /* the agent itself failed: the host sees that nothing comes */
    .balign 128
    b       .
    .endr
    .irp n, 0x400, 0x480, 0x500, 0x580, 0x600, 0x680, 0x700, 0x780
    .balign 128
    stp     x0, x1, [sp, #-16]!
    mov     x1, #\n
    b       left
    .endr

    .section .tables, "aw"
    .balign 4096
    .globl top_table, gigabytes, third
top_table:
    .quad   gigabytes - OFFSET + TABLE
    .fill   511, 8, 0
gigabytes:
    .quad   BLOCK_NORMAL                /* where it is loaded, until the first reset */
    .quad   0
    .quad   third - OFFSET + TABLE
    .fill   509, 8, 0
third:
    .fill   WINDOW_FIRST, 8, 0
    .set    block, WINDOW_FIRST
    .rept   MMIO_FIRST - WINDOW_FIRST
    .quad   (block << BLOCK_SHIFT) + BLOCK_NORMAL
    .set    block, block + 1
    .endr
    .rept   512 - MMIO_FIRST
    .quad   (block << BLOCK_SHIFT) + BLOCK_DEVICE
    .set    block, block + 1
    .endr

    .bss
    .balign 16
    .skip   0x10000
stack_end:
