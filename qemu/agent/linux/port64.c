/* AArch64 Linux: system calls by the generic table, signal frames of arch/arm64/include/uapi/asm/sigcontext.h. */
#include "linux.h"

const char platform_triple[] = "aarch64-unknown-linux-gnu";
const u32 port_width = 64;

struct fpsimd {
    u32 magic, size, fpsr, fpcr;
    u64 v[64];
};
enum { FPSIMD_MAGIC = 0x46508001, ESR_MAGIC = 0x45535201 };

struct context {
    u64 flags, link, stack[3];
    u64 mask[16];
    u64 unused; /* the next is aligned to 16 */
    u64 fault_address, x[31], sp, pc, status;
    u64 unused2;
    u8 records[4096] __attribute__((aligned(16)));
};

static struct {
    struct siginfo info;
    struct context context;
} frame __attribute__((aligned(16)));

uptr run_return(const struct registers *registers);
extern const struct registers run_kept;

uptr port_run(const struct registers *r)
{
    /* No register is free to jump by; but where a function returns to is in one. */
    if (r->pc == r->x[30])
        return run_return(r);
    struct context *c = &frame.context;
    memcpy(c->x, r->x, sizeof c->x);
    c->sp = r->sp;
    c->pc = r->pc;
    c->status = r->status & 0xf0000000;
    struct fpsimd *f = (struct fpsimd *)c->records;
    *f = (struct fpsimd){.magic = FPSIMD_MAGIC, .size = sizeof *f, .fpsr = r->fpsr, .fpcr = r->fpcr};
    memcpy(f->v, r->v, sizeof f->v);
    memset(f + 1, 0, 16);
    return run_enter(&frame);
}

void port_arrived(struct registers *r)
{
    memcpy(r, &run_kept, sizeof *r);
}

static const u32 *record(const struct context *c, u32 magic)
{
    for (const u8 *at = c->records; at < c->records + sizeof c->records - 16;) {
        const u32 *head = (const u32 *)at;
        if (head[0] == magic)
            return head;
        if (!head[0] || head[1] < 8)
            break;
        at += head[1];
    }
    return 0;
}

void port_context(const void *context, struct stop *stop)
{
    const struct context *c = context;
    struct registers *r = &stop->registers;
    memcpy(r->x, c->x, sizeof c->x);
    r->sp = c->sp;
    r->pc = c->pc;
    r->status = c->status;
    const struct fpsimd *f = (const struct fpsimd *)record(c, FPSIMD_MAGIC);
    if (f) {
        r->fpsr = f->fpsr;
        r->fpcr = f->fpcr;
        memcpy(r->v, f->v, sizeof r->v);
    }
}

u64 port_pc(const void *context)
{
    return ((const struct context *)context)->pc;
}

int port_was_write(const void *context)
{
    const u32 *esr = record(context, ESR_MAGIC);
    return esr && esr[2] >> 26 == 0x24 && esr[2] & 1 << 6;
}

void port_set_thread(const struct registers *r)
{
    __asm__ volatile("msr tpidr_el0, %0" ::"r"(r->thread));
}

void port_get_thread(struct registers *r)
{
    __asm__ volatile("mrs %0, tpidr_el0" : "=r"(r->thread));
}

void port_code(u64 address, u64 size)
{
    u64 types;
    __asm__ volatile("mrs %0, ctr_el0" : "=r"(types));
    u64 line = 4ull << (types >> 16 & 15);
    for (u64 at = address & ~(line - 1); at < address + size; at += line)
        __asm__ volatile("dc cvau, %0" ::"r"(at) : "memory");
    line = 4ull << (types & 15);
    __asm__ volatile("dsb ish" ::: "memory");
    for (u64 at = address & ~(line - 1); at < address + size; at += line)
        __asm__ volatile("ic ivau, %0" ::"r"(at) : "memory");
    __asm__ volatile("dsb ish\n isb" ::: "memory");
}

enum { BRANCH = 0x14000000, UNDEFINED = 0 };

uptr port_gates(u32 *gates, u32 *beside)
{
    extern u8 run_slots_end[];
    memcpy(beside, run_slots, run_slots_end - run_slots[0]);
    for (u32 i = 0; i < PAGE / 4; i += 4) {
        gates[i] = BRANCH | (beside + i / 2 - (gates + i));
        gates[i + 1] = gates[i + 2] = gates[i + 3] = UNDEFINED;
    }
    return (uptr)beside;
}
