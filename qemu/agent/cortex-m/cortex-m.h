/* M profile, without an operating system: the agent is privileged, the tested program is not. There is no MMU, so a program is
   where memory is; what it may do there is up to the MPU. The agent is linked at 0, behind the vectors. */
#define PARAMETERS 0x400 /* where the host puts what only the board knows */

/* The system control space (ARMv7-M B3.2, ARMv8-M B11). */
#define MPU_CONTROL 0xe000ed94
#define MPU_ON 5 /* for the program; the agent sees everything */

#ifndef __ASSEMBLER__
#include "../agent.h"

/* What only the board knows (qemu/src/machine.rs writes it). */
struct parameters {
    u32 uart, uart_interrupt;
    u32 memory, memory_last; /* for programs */
    u32 shared, shared_size; /* memory that the host sees too */
};
extern const struct parameters parameters;

#define REGISTER(address) (*(volatile u32 *)(address))

/* Processor (start.S, cpu.c). */
void cpu_init(void);
void cpu_wait(void); /* until the serial port wants something */

/* Memory (space.c). What a fault at this address means, which moves to the page that was meant: 0, try again; or why not. */
u32 space_fault(u64 *address, u32 wanted);
/* Makes sure that an exception finds room on the program's stack. Whether there is any. */
int space_stack(u32 sp);
void space_init(void);

void uart_init(void);
/* The byte that interrupted the program. */
u8 uart_take(void);
#endif
