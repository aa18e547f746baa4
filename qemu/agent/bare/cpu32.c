/* ARMv7-A: the processor in supervisor mode, with the tested program in user mode. */
#include "bare.h"

const char platform_triple[] = "armv7-none-eabi";

u32 cpu_enter(void);
void cpu_load_vectors(const u64 *vectors, u32 fpscr);
u32 cpu_store_vectors(u64 *vectors);

extern struct {
    u32 r[15], pc, status;
} saved;

#define SET(value, ...) __asm__ volatile("mcr p15, " __VA_ARGS__ ::"r"(value) : "memory")
#define GET(...)                                                                                                             \
    ({                                                                                                                       \
        u32 value_;                                                                                                          \
        __asm__ volatile("mrc p15, " __VA_ARGS__ : "=r"(value_)::"memory");                                                 \
        value_;                                                                                                              \
    })

enum { USER_MODE = 0x10, MODE = 0x1f, MASKED = 0x1c0, THUMB = 0x20 };
enum { UNDEFINED_INSTRUCTION = 1, CALL, PREFETCH_ABORT, DATA_ABORT, INTERRUPT = 6 };

void cpu_init(void)
{
}

void cpu_flush(void)
{
    __asm__ volatile("dsb" ::: "memory");
    SET(0, "0, %0, c8, c7, 0");
    __asm__ volatile("dsb\n isb" ::: "memory");
}

void cpu_published(void)
{
    __asm__ volatile("dsb\n isb" ::: "memory");
}

void cpu_zero_page(void *page)
{
    u64 *at = page;
    for (u32 i = 0; i < PAGE / 8; i += 4)
        at[i] = at[i + 1] = at[i + 2] = at[i + 3] = 0;
}

void cpu_code(const void *from, u64 size)
{
    u32 line = 4 << (GET("0, %0, c0, c0, 1") >> 16 & 15);
    for (u32 at = (u32)from & ~(line - 1); at < (u32)from + (u32)size; at += line)
        SET(at, "0, %0, c7, c11, 1");
}

void cpu_code_done(void)
{
    __asm__ volatile("dsb" ::: "memory");
    SET(0, "0, %0, c7, c5, 0");
    SET(0, "0, %0, c7, c5, 6");
    __asm__ volatile("dsb\n isb" ::: "memory");
}

void cpu_wait(void)
{
    __asm__ volatile("dsb\n wfi" ::: "memory");
}

/* What an exception means; 0 when the program can go on. Status words are in the long format. */
static u32 judge(u32 vector, struct stop *stop)
{
    u32 status;
    stop->address = 0;
    stop->detail = vector;
    switch (vector) {
    case INTERRUPT:
        return uart_take() == DOORBELL_BREAK ? STOP_INTERRUPTED : 0;
    case CALL:
        return STOP_SYSCALL;
    case UNDEFINED_INSTRUCTION:
        saved.pc -= saved.status & THUMB ? 2 : 4;
        return STOP_UNDEFINED;
    case PREFETCH_ABORT:
        stop->detail = status = GET("0, %0, c5, c0, 1");
        stop->address = GET("0, %0, c6, c0, 2");
        if ((status & 0x3f) == 0x22) {
            stop->address = 0;
            return STOP_BREAKPOINT;
        }
        if ((status & 0x3f) == 0x21)
            return STOP_UNALIGNED;
        return (status & 0x3f) >= 0x04 && (status & 0x3f) <= 0x0f ? space_fault(stop->address, EXECUTE) : STOP_FETCH;
    case DATA_ABORT:
        stop->detail = status = GET("0, %0, c5, c0, 0");
        stop->address = GET("0, %0, c6, c0, 0");
        if ((status & 0x3f) == 0x21)
            return STOP_UNALIGNED;
        return space_fault(stop->address, status & 1 << 11 ? WRITE : READ);
    }
    return STOP_OTHER;
}

void platform_run(const struct registers *registers, u32 flags, struct stop *stop)
{
    struct registers *r = &stop->registers;
    memcpy(r, registers, sizeof *r);
    stop->kind = stop->detail = 0;
    stop->address = 0;
    /* This processor has no way to stop after one instruction, and no 64-bit state. */
    if (!(flags & RUN_32) || flags & RUN_STEP) {
        stop->kind = STOP_OTHER;
        return;
    }
    for (u32 i = 0; i < 15; i++)
        saved.r[i] = r->x[i];
    saved.pc = r->pc;
    saved.status = (r->status & ~(u32)(MODE | MASKED)) | USER_MODE;
    SET((u32)r->thread, "0, %0, c13, c0, 2");
    SET((u32)r->thread_read_only, "0, %0, c13, c0, 3");
    cpu_load_vectors(r->v, r->fpcr | r->fpsr);
    do
        stop->kind = judge(cpu_enter(), stop);
    while (!stop->kind);
    r->fpcr = cpu_store_vectors(r->v);
    r->fpsr = 0;
    r->thread = GET("0, %0, c13, c0, 2");
    r->thread_read_only = GET("0, %0, c13, c0, 3");
    for (u32 i = 0; i < 15; i++)
        r->x[i] = saved.r[i];
    r->sp = saved.r[13];
    r->pc = saved.pc;
    r->status = saved.status;
}
