/* ARM Linux, and 32-bit code on AArch64 Linux: EABI system calls, signal frames of arch/arm/include/asm/ucontext.h.

   The code is ARMv5TE's, for every processor from there on. What the one at hand has beyond that, the kernel says when it starts us. */
#include "linux.h"

const char platform_triple[] = "arm-unknown-linux-gnueabi";
const u32 port_width = 32;

static u32 architecture = 7;
static int has_thread_registers = 1;
/* How many d registers there are. */
u32 run_vfp;

enum { AT_PLATFORM = 15, AT_HWCAP = 16 };
/* Of 64-bit kernels the younger ones say nothing of the first kind of VFP. */
enum { HWCAP_VFP = 1 << 6 | 1 << 13, HWCAP_TLS = 1 << 15, HWCAP_VFP_32 = 1 << 12 | 1 << 19 };

/* What is on the stack: how many arguments there are, these, the environment, each of the two with a zero behind it, then pairs of
   a word for what it is and a value. */
void port_start(const u32 *stack);

void port_start(const u32 *stack)
{
    const u32 *at = stack + 1 + stack[0] + 1;
    while (*at++)
        ;
    for (; *at; at += 2)
        if (at[0] == AT_PLATFORM)
            architecture = ((const char *)at[1])[1] - '0'; /* `v6l`, for instance */
        else if (at[0] == AT_HWCAP) {
            has_thread_registers = (at[1] & HWCAP_TLS) != 0;
            run_vfp = at[1] & HWCAP_VFP_32 ? 32 : at[1] & HWCAP_VFP ? 16 : 0;
        }
}

void platform_barrier(void)
{
    if (architecture >= 7)
        __asm__ volatile(".inst 0xf57ff05f" ::: "memory"); /* dmb sy */
    else if (architecture == 6)
        __asm__ volatile("mcr p15, 0, %0, c7, c10, 5" ::"r"(0) : "memory");
    else
        __asm__ volatile("" ::: "memory"); /* it is one that does all in order, and has no other beside it */
}

enum { VFP_MAGIC = 0x56465001 };

struct vfp {
    u32 magic, size;
    u64 d[32];
    u32 fpscr, unused, fpexc, fpinst, fpinst2, unused2;
};

struct context {
    u32 flags, link, stack[3];
    u32 trap, error, old_mask, r[15], pc, status, fault_address;
    u32 mask[32];
    /* Aligned to 8. Each record begins with its kind and its size, and after the last one there is none. */
    u32 records[128];
} __attribute__((aligned(8)));

static struct {
    struct siginfo info;
    struct context context;
} frame __attribute__((aligned(16)));

enum { USER_MODE = 0x10, KEPT = 0xf80f0000 };

/* Registers, as run_directly wants them and a gate leaves them. */
struct file {
    u32 r[16], status, fpscr;
    u64 d[32];
};
uptr run_directly(const struct file *file, u32 registers);
extern const struct file run_kept;

uptr port_run(const struct registers *r)
{
    struct context *c = &frame.context;
    static struct file file;
    u32 status = r->status & KEPT, fpscr = r->fpcr | r->fpsr;
    for (u32 i = 0; i < 15; i++)
        file.r[i] = c->r[i] = r->x[i];
    if (run_vfp) {
        file.r[15] = r->pc | (r->status & THUMB ? 1 : 0);
        file.status = status;
        file.fpscr = fpscr;
        memcpy(file.d, r->v, sizeof file.d);
        return run_directly(&file, run_vfp);
    }
    c->pc = r->pc;
    c->status = status | (r->status & THUMB) | USER_MODE;
    struct vfp *vfp = (struct vfp *)c->records;
    *vfp = (struct vfp){.magic = VFP_MAGIC, .size = sizeof *vfp, .fpscr = fpscr, .fpexc = 1 << 30};
    memcpy(vfp->d, r->v, sizeof vfp->d);
    return run_enter(&frame);
}

void port_arrived(struct registers *r)
{
    for (u32 i = 0; i < 15; i++)
        r->x[i] = run_kept.r[i];
    r->sp = r->x[13];
    r->status = run_kept.status;
    r->fpcr = run_kept.fpscr;
    memcpy(r->v, run_kept.d, sizeof run_kept.d);
}

/* A kernel that also serves processors with iWMMXt has a record for that before the one of the VFP. */
static const struct vfp *vfp_of(const struct context *c)
{
    for (u32 at = 0; at + sizeof(struct vfp) / 4 <= ARRAY(c->records); at += c->records[at + 1] / 4) {
        if (c->records[at] == VFP_MAGIC)
            return (const struct vfp *)&c->records[at];
        if (!c->records[at] || c->records[at + 1] < 8)
            break;
    }
    return 0;
}

void port_context(const void *context, struct stop *stop)
{
    const struct context *c = context;
    struct registers *r = &stop->registers;
    for (u32 i = 0; i < 15; i++)
        r->x[i] = c->r[i];
    r->sp = c->r[13];
    r->pc = c->pc;
    r->status = c->status;
    const struct vfp *vfp = vfp_of(c);
    if (vfp) {
        memcpy(r->v, vfp->d, sizeof vfp->d);
        r->fpcr = vfp->fpscr;
        r->fpsr = 0;
    }
}

u64 port_pc(const void *context)
{
    return ((const struct context *)context)->pc;
}

int port_was_write(const void *context)
{
    const struct context *c = context;
    return (c->error & 1 << 11) != 0;
}

enum { SET_TLS = 0xf0005, CACHE_FLUSH = 0xf0002 };

/* The pointer that programs only read: nobody else sets it. */
static u64 thread_read_only = ~0ull;

void port_set_thread(const struct registers *r)
{
    if (thread_read_only != r->thread_read_only)
        syscall6(SET_TLS, thread_read_only = r->thread_read_only, 0, 0, 0, 0, 0);
    if (has_thread_registers)
        __asm__ volatile("mcr p15, 0, %0, c13, c0, 2" ::"r"((u32)r->thread));
}

void port_get_thread(struct registers *r)
{
    u32 value = 0;
    if (has_thread_registers)
        __asm__ volatile("mrc p15, 0, %0, c13, c0, 2" : "=r"(value));
    r->thread = value;
    r->thread_read_only = thread_read_only;
}

void port_code(u64 address, u64 size)
{
    syscall6(CACHE_FLUSH, address, address + size, 0, 0, 0, 0);
}

uptr port_gates(u32 *gates, u32 *beside)
{
    enum { TO_BESIDE = 0xe28ffa01, LOAD_NEXT = 0xe51ff004, UNDEFINED = 0xe7ffdef0, THUMB_LOAD_BESIDE = 0xfff8f8df };
    if (!run_vfp)
        return 0;
    /* Undefined in Thumb state as well, as both halves are; so is the gate itself. */
    for (u32 i = 0; i < PAGE / 4; i++)
        gates[i] = beside[i] = UNDEFINED;
    for (u32 i = 0; i < PAGE / 4; i += 4) {
        gates[i] = TO_BESIDE; /* add pc, pc, #0x1000 */
        beside[i + 2] = LOAD_NEXT; /* ldr pc, [pc, #-4] */
        beside[i + 3] = (uptr)run_slots[i / 4];
    }
    /* ldr.w pc, [pc, #0xff8], which ARM state does not know. */
    if (architecture >= 7) {
        gates[RETURN_THUMB / 4] = THUMB_LOAD_BESIDE;
        beside[1] = (uptr)run_slots[GATES];
    }
    return (uptr)run_slots;
}
