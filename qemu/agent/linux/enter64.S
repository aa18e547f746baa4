/* AArch64 Linux: entry, system calls, and in and out of the tested program. */
    .text
    .globl _start, syscall6, run_enter, run_leave, run_restore
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

run_enter:
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
    mov     sp, x0
run_restore:
    mov     x8, #139                    /* rt_sigreturn */
    svc     #0
    brk     #2

run_leave:
    adrp    x9, kept
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
    .skip   0x10000
stack_end:
    .section .note.GNU-stack, "", %progbits
