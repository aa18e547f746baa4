/* ARM Linux: entry, system calls, and in and out of the tested program. */
    .syntax unified
    .arm
    .arch armv5te
    .fpu vfpv3
    .text
    .globl _start, syscall6, run_enter, run_directly, run_leave, run_restore, run_slots, run_arrive, run_arrived, run_kept
_start:
    mov     fp, #0
    mov     lr, #0
    mov     r0, sp
    ldr     sp, =stack_end
    bl      port_start
    bl      linux_main
    udf     #1

syscall6:
    mov     ip, sp
    push    {r4-r7, lr}
    mov     r7, r0
    mov     r0, r1
    mov     r1, r2
    mov     r2, r3
    ldm     ip, {r3-r5}
    svc     #0
    pop     {r4-r7, pc}

run_enter:
    ldr     ip, =kept
    stmia   ip, {r4-r11, sp, lr}
    mov     sp, r0
run_restore:
    mov     r7, #173                    /* rt_sigreturn */
    svc     #0
    udf     #2

/* r0: registers (struct file in port32.c), r1: how many d registers there are. */
run_directly:
    ldr     ip, =kept
    stmia   ip, {r4-r11, sp, lr}
    tst     r1, #32
    add     r2, r0, #72
    vldmia  r2!, {d0-d15}
    vldmiane r2!, {d16-d31}
    ldr     r2, [r0, #68]
    vmsr    fpscr, r2
    ldr     r2, [r0, #64]
    msr     cpsr_fs, r2
    ldm     r0, {r0-r15}

run_slots:
    .rept   257
    stmdb   sp, {r0, lr}
    bl      run_arrive
    .endr

run_arrive:
    ldr     r0, =run_kept
    stmib   r0, {r1-r14}                /* r14: behind the slot */
    ldmdb   sp, {r1, r2}
    str     r1, [r0]
    str     r2, [r0, #56]
    mrs     r1, cpsr
    str     r1, [r0, #64]
    vmrs    r1, fpscr
    str     r1, [r0, #68]
    add     r1, r0, #72
    vstmia  r1!, {d0-d15}
    ldr     r2, =run_vfp
    ldr     r2, [r2]
    tst     r2, #32
    vstmiane r1!, {d16-d31}
    mov     r0, lr
    b       1f
run_arrived:

run_leave:
    mov     r0, #0
1:  ldr     ip, =kept
    ldmia   ip, {r4-r11, sp, pc}

    .bss
    .balign 16
kept:
    .skip   48
/* The program's registers as it passed a gate. */
run_kept:
    .skip   328
    .skip   0x10000
stack_end:
    .section .note.GNU-stack, "", %progbits
