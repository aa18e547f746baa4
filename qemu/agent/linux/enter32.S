/* ARM Linux: entry, system calls, and in and out of the tested program. */
    .syntax unified
    .arm
    .arch armv5te
    .text
    .globl _start, syscall6, run_enter, run_leave, run_restore
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

run_leave:
    ldr     ip, =kept
    ldmia   ip, {r4-r11, sp, pc}

    .bss
    .balign 16
kept:
    .skip   48
    .skip   0x10000
stack_end:
    .section .note.GNU-stack, "", %progbits
