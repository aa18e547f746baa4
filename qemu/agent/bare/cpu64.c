/* AArch64: the processor at EL1, with the tested program at EL0 in either state. */
#include "bare.h"

const char platform_triple[] = "aarch64-none-elf";

#define SET(name, value) __asm__ volatile("msr " #name ", %0" ::"r"((u64)(value)) : "memory")
#define GET(name)                                                                                                            \
    ({                                                                                                                       \
        u64 value_;                                                                                                          \
        __asm__ volatile("mrs %0, " #name : "=r"(value_)::"memory");                                                        \
        value_;                                                                                                              \
    })

u64 cpu_enter(u64 *general);
void cpu_load_vectors(const u64 *vectors);
void cpu_store_vectors(u64 *vectors);

/* SPSR: what code at EL0 has, and the bits that say where it runs. */
enum { STEP_BIT = 1 << 21, STATE_32 = 0x10, MODE = 0xf, MASKED = 0x3c0, MASKED_32 = 0x1c0 };
/* SCTLR_EL1.E0E, MDSCR_EL1.SS. */
enum { BIG_ENDIAN = 1 << 24, STEPPING = 1 };
/* The vectors of exceptions from EL0: in 64-bit state, and from 0x600 on in 32-bit state. */
enum { SYNCHRONOUS = 0x000, INTERRUPT = 0x080, WITHIN = 0x180 };

void cpu_init(void)
{
    SET(cntkctl_el1, 3); /* the program may read the counters */
}

void cpu_flush(void)
{
    __asm__ volatile("dsb ishst\n tlbi vmalle1\n dsb ish\n isb" ::: "memory");
}

void cpu_published(void)
{
    __asm__ volatile("dsb ishst\n isb" ::: "memory");
}

void cpu_zero_page(void *page)
{
    u64 line = 4ull << (GET(dczid_el0) & 15);
    for (u64 at = (u64)page; at < (u64)page + PAGE; at += line)
        __asm__ volatile("dc zva, %0" ::"r"(at) : "memory");
}

void cpu_code(const void *from, u64 size)
{
    u64 line = 4ull << (GET(ctr_el0) >> 16 & 15);
    for (u64 at = (u64)from & ~(line - 1); at < (u64)from + size; at += line)
        __asm__ volatile("dc cvau, %0" ::"r"(at) : "memory");
}

void cpu_code_done(void)
{
    __asm__ volatile("dsb ish\n ic iallu\n dsb ish\n isb" ::: "memory");
}

void cpu_wait(void)
{
    __asm__ volatile("dsb sy\n wfi" ::: "memory");
}

/* What an exception means; 0 when the program can go on. */
static u32 judge(u64 vector, struct stop *stop)
{
    if ((vector & WITHIN) == INTERRUPT)
        return uart_take() == DOORBELL_BREAK ? STOP_INTERRUPTED : 0;
    u64 syndrome = GET(esr_el1), far = GET(far_el1);
    u32 class = syndrome >> 26, status = syndrome & 0x3f;
    stop->detail = syndrome;
    stop->address = 0;
    if ((vector & WITHIN) != SYNCHRONOUS)
        return STOP_OTHER;
    switch (class) {
    case 0x20: /* instruction abort */
        stop->address = far;
        return status >= 0x04 && status <= 0x0f ? space_fault(far, EXECUTE) : STOP_FETCH;
    case 0x24: /* data abort */
        stop->address = far;
        if (status == 0x21)
            return STOP_UNALIGNED;
        u32 wanted = syndrome & 1 << 6 ? WRITE : READ;
        return space_fault(far, wanted);
    case 0x22: /* pc alignment */
        stop->address = far;
        return STOP_UNALIGNED;
    case 0x26: /* sp alignment */
        return STOP_UNALIGNED;
    case 0x11:
    case 0x15:
        return STOP_SYSCALL;
    case 0x32:
        return STOP_STEPPED;
    case 0x38:
    case 0x3c:
        return STOP_BREAKPOINT;
    case 0x0e:
        return STOP_STATE;
    case 0x00: /* undefined, and what EL1 does not let it do */
    case 0x01:
    case 0x03:
    case 0x04:
    case 0x05:
    case 0x06:
    case 0x07:
    case 0x08:
    case 0x0c:
    case 0x18:
        return STOP_UNDEFINED;
    }
    return STOP_OTHER;
}

void platform_run(const struct registers *registers, u32 flags, struct stop *stop)
{
    struct registers *r = &stop->registers;
    memcpy(r, registers, sizeof *r);
    stop->detail = 0;
    stop->address = 0;
    u64 mode = flags & RUN_32 ? STATE_32 : 0;
    r->status = (r->status & ~(u64)(MODE | STATE_32 | MASKED | STEP_BIT)) | mode;
    if (flags & RUN_32)
        r->status = (r->status & ~(u64)MASKED_32) | (registers->status & 0x200); /* E is one of the masks' bits */
    u64 control = GET(sctlr_el1);
    SET(sctlr_el1, (control & ~(u64)BIG_ENDIAN) | (flags & RUN_BIG_ENDIAN && !(flags & RUN_32) ? BIG_ENDIAN : 0));
    if (flags & RUN_STEP) {
        r->status |= STEP_BIT;
        SET(mdscr_el1, STEPPING);
    }
    SET(tpidr_el0, r->thread);
    SET(tpidrro_el0, r->thread_read_only);
    SET(fpcr, r->fpcr);
    SET(fpsr, r->fpsr);
    cpu_load_vectors(r->v);
    __asm__ volatile("isb");
    do
        stop->kind = judge(cpu_enter(r->x), stop);
    while (!stop->kind);
    if (flags & RUN_STEP)
        SET(mdscr_el1, 0);
    cpu_store_vectors(r->v);
    r->fpcr = GET(fpcr);
    r->fpsr = GET(fpsr);
    r->thread = GET(tpidr_el0);
    r->thread_read_only = GET(tpidrro_el0);
    r->status &= ~(u64)STEP_BIT;
}
