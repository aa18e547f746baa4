/* Bare metal: where things are. The tested program has all of the address space but a window, in which the agent sees
   physical memory: what is at P is at P + OFFSET. Both architectures use the long descriptor format. */
#define OFFSET 0x80000000
#define AGENT 0x38000000    /* physical: the agent, then frames */
#define SHARED 0x3d000000   /* physical: memory that the host sees too */
#define SHARED_SIZE 0x2000000
#define MMIO 0x3f000000     /* physical: peripherals, to 1 GiB */
#define UART (MMIO + 0x201000)
#define INTERRUPTS (MMIO + 0xb200)
#define UART_INTERRUPT 57
/* The window: 2 MiB blocks of the third GiB, from AGENT to the end. */
#define BLOCK_SHIFT 21
#define GIGABYTE_SHIFT 30
#define WINDOW_FIRST (AGENT >> BLOCK_SHIFT)
#define MMIO_FIRST (MMIO >> BLOCK_SHIFT)

/* Descriptors. */
#define VALID 0x1
#define TABLE 0x3
#define PAGE_DESCRIPTOR 0x3
#define ATTRIBUTE_DEVICE 0x0
#define ATTRIBUTE_NORMAL 0x4
#define USER 0x40
#define READ_ONLY 0x80
#define SHAREABLE 0x300
#define ACCESSED 0x400
#define NOT_GLOBAL 0x800
#define BLOCK_NORMAL (0x1 | ATTRIBUTE_NORMAL | SHAREABLE | ACCESSED)
#define BLOCK_DEVICE (0x1 | ATTRIBUTE_DEVICE | ACCESSED)

#ifndef __ASSEMBLER__
#include "../agent.h"
#define PRIVILEGED_NO_EXECUTE (1ull << 53)
#define NO_EXECUTE (1ull << 54)

/* The top table: 512 GiB an entry (64 bits) or 1 GiB an entry (32). */
extern u64 top_table[], gigabytes[512], third[512];
extern u8 image_end[];

/* Processor (start*.S, cpu*.c). */
void cpu_flush(void);                            /* all translations */
void cpu_published(void);                        /* a new translation */
void cpu_zero_page(void *page);
void cpu_code(const void *from, u64 size);       /* bytes that were written are code */
void cpu_code_done(void);
void cpu_wait(void);                             /* until an interrupt is pending */
void cpu_run(const struct registers *registers, u32 flags, struct stop *stop);
void cpu_init(void);

/* Address space (space.c). What a fault at this address means: 0, try again; or why not. */
u32 space_fault(u64 address, u32 wanted);
void space_init(void);

void uart_init(void);
/* The byte that interrupted the program. */
u8 uart_take(void);
#endif
