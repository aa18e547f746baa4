/* M profile: the tested program in thread mode, unprivileged, on a stack of its own. */
#include "../regions.h"
#include "cortex-m.h"

const char platform_triple[] = "thumbv7m-none-eabi";

u32 cpu_enter(void);

extern struct {
    u32 r4_to_r11[8], sp, exception;
} saved;
extern struct {
    u32 enable, disable, bit;
} interrupt;

/* What an exception puts on the program's stack, and takes from there. */
struct frame {
    u32 r0_to_r3[4], r12, lr, pc, status;
};
/* In the status of a frame: the stack was not aligned to 8 (then there are 4 bytes more). */
#define REALIGNED (1 << 9)

#define VECTORS 0xe000ed08
#define HANDLERS 0xe000ed24
#define FAULTS 0xe000ed28
#define HARD_FAULT_STATUS 0xe000ed2c
#define FAULT_ADDRESS 0xe000ed34
#define BUS_FAULT_ADDRESS 0xe000ed38
#define CACHE_TYPE 0xe000ed7c
#define INVALIDATE_CODE 0xe000ef50
#define ENABLE_INTERRUPTS 0xe000e100
#define DISABLE_INTERRUPTS 0xe000e180

enum { HARD_FAULT = 3, MEMORY_FAULT, BUS_FAULT, USAGE_FAULT, CALL = 11, DEBUG = 12, FIRST_INTERRUPT = 16 };
/* Bits of FAULTS. */
enum {
    FETCH_FORBIDDEN = 1 << 0,
    ACCESS_FORBIDDEN = 1 << 1,
    NO_FRAME = 1 << 4 | 1 << 12 | 1 << 20,
    FETCH_FAILED = 1 << 8,
    ACCESS_FAILED = 1 << 9,
    WRONG_STATE = 1 << 17,
    UNALIGNED = 1 << 24,
    UNDEFINED = 1 << 16 | 1 << 19,
};

/* In HARD_FAULT_STATUS. */
#define DEBUG_EVENT (1u << 31)

/* A status on the wire is as CPSR has it: flags, GE, the state of an IT block, and T in bit 5. */
#define KEPT 0xfe0ffc00
#define THUMB_WIRE (1 << 5)
#define THUMB (1 << 24)

void cpu_init(void)
{
    REGISTER(HANDLERS) |= 0xf << 16; /* all kinds of faults have handlers of their own */
    u32 word = parameters.uart_interrupt / 32 * 4;
    interrupt.enable = ENABLE_INTERRUPTS + word;
    interrupt.disable = DISABLE_INTERRUPTS + word;
    interrupt.bit = 1u << parameters.uart_interrupt % 32;
}

/* An interrupt that is pending ends the wait, even where it is masked; but it has to be enabled. */
void cpu_wait(void)
{
    __asm__ volatile("cpsid i" ::: "memory");
    REGISTER(interrupt.enable) = interrupt.bit;
    __asm__ volatile("dsb\n wfi" ::: "memory");
    REGISTER(interrupt.disable) = interrupt.bit;
    __asm__ volatile("dsb\n isb\n cpsie i" ::: "memory");
}

void platform_synchronize(void)
{
    if (REGISTER(CACHE_TYPE))
        REGISTER(INVALIDATE_CODE) = 0;
    __asm__ volatile("dsb\n isb" ::: "memory");
}

/* Whether the instruction at pc stores. The processor says where it wanted to go, and not what for. */
static int stores(u32 pc)
{
    /* 16-bit instructions that load or store: mask, value, and whether bit 11 says which (set for a load). */
    static const struct {
        u16 mask, value;
        u8 load_bit, store;
    } table[] = {
        {0xfe00, 0x5600, 0, 0},  /* ldrsb, register */
        {0xf800, 0x5000, 0, 1},  /* str, strh, strb, register */
        {0xe000, 0x6000, 1, 0},  /* ldr, str, ldrb, strb */
        {0xf000, 0x8000, 1, 0},  /* ldrh, strh */
        {0xf000, 0x9000, 1, 0},  /* from the stack pointer */
        {0xf000, 0xc000, 1, 0},  /* ldm, stm */
        {0xfe00, 0xb400, 0, 1},  /* push */
    };
    u16 code = *(const u16 *)pc;
    if (code >= 0xe800)
        return !(code & 1 << 4);
    for (u32 i = 0; i < ARRAY(table); i++)
        if ((code & table[i].mask) == table[i].value)
            return table[i].load_bit ? !(code & 1 << 11) : table[i].store;
    return 0;
}

/* Whether there is a breakpoint at pc. */
static int breaks(u32 pc)
{
    return region_at(pc) && *(const u8 *)(pc + 1) == 0xbe;
}

/* What an exception means; 0 when the program can go on. */
static u32 judge(u32 exception, const struct frame *frame, struct stop *stop)
{
    u32 faults = REGISTER(FAULTS), hard = REGISTER(HARD_FAULT_STATUS);
    REGISTER(FAULTS) = faults;
    REGISTER(HARD_FAULT_STATUS) = hard;
    stop->detail = faults;
    stop->address = 0;
    if (exception >= FIRST_INTERRUPT)
        return uart_take() == DOORBELL_BREAK ? STOP_INTERRUPTED : 0;
    if (exception == CALL)
        return STOP_SYSCALL;
    if (faults & NO_FRAME) {
        /* It had no stack to be interrupted on: where it was is lost. */
        stop->address = saved.sp;
        return STOP_WRITE;
    }
    /* QEMU 7.2 does not set the bit. */
    if (exception == DEBUG || (exception == HARD_FAULT && (hard & DEBUG_EVENT || breaks(frame->pc))))
        return STOP_BREAKPOINT;
    if (faults & (FETCH_FORBIDDEN | FETCH_FAILED)) {
        stop->address = frame->pc;
        return space_fault(&stop->address, EXECUTE);
    }
    if (faults & (ACCESS_FORBIDDEN | ACCESS_FAILED)) {
        stop->address = REGISTER(faults & ACCESS_FORBIDDEN ? FAULT_ADDRESS : BUS_FAULT_ADDRESS);
        return space_fault(&stop->address, stores(frame->pc) ? WRITE : READ);
    }
    if (faults & WRONG_STATE)
        return STOP_STATE;
    if (faults & UNALIGNED)
        return STOP_UNALIGNED;
    return faults & UNDEFINED ? STOP_UNDEFINED : STOP_OTHER;
}

void platform_run(const struct registers *registers, u32 flags, struct stop *stop)
{
    struct registers *r = &stop->registers;
    memcpy(r, registers, sizeof *r);
    stop->kind = STOP_OTHER;
    stop->detail = 0;
    stop->address = 0;
    /* There is no way to stop after one instruction here. */
    if (!(flags & RUN_32) || flags & (RUN_STEP | RUN_BIG_ENDIAN))
        return;
    u32 sp = r->x[13] & ~3u;
    stop->address = sp;
    stop->kind = STOP_WRITE;
    if (!space_stack(sp))
        return;
    struct frame *frame = (struct frame *)((sp - sizeof *frame) & ~7u);
    memcpy(saved.r4_to_r11, (u32[8]){r->x[4], r->x[5], r->x[6], r->x[7], r->x[8], r->x[9], r->x[10], r->x[11]}, 32);
    u32 status = (r->status & KEPT) | (r->status & THUMB_WIRE ? THUMB : 0) | (sp & 4 ? REALIGNED : 0);
    *frame = (struct frame){{r->x[0], r->x[1], r->x[2], r->x[3]}, r->x[12], r->x[14], r->pc, status};
    saved.sp = (u32)frame;
    do {
        u32 exception = cpu_enter();
        frame = (struct frame *)saved.sp;
        stop->kind = judge(exception, frame, stop);
        space_stack(saved.sp); /* which may be another one by now */
    } while (!stop->kind);
    for (u32 i = 0; i < 8; i++)
        r->x[4 + i] = saved.r4_to_r11[i];
    r->sp = r->x[13] = saved.sp;
    r->pc = 0;
    if (stop->detail & NO_FRAME)
        return;
    for (u32 i = 0; i < 4; i++)
        r->x[i] = frame->r0_to_r3[i];
    r->x[12] = frame->r12;
    r->x[14] = frame->lr;
    r->pc = frame->pc;
    r->sp = r->x[13] = saved.sp + sizeof *frame + (frame->status & REALIGNED ? 4 : 0);
    r->status = (frame->status & KEPT) | (frame->status & THUMB ? THUMB_WIRE : 0);
}
