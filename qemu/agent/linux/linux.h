/* Linux: what its two ports share, and what each has for itself (port64.h, port32.h, enter*.S). */
#include "../agent.h"

long syscall6(long number, long a, long b, long c, long d, long e, long f);

/* Starts the program whose signal frame this is. Returns 0 when run_leave is called; where a gate was passed, what is behind its slot. */
uptr run_enter(void *frame);
void run_leave(void) __attribute__((noreturn));
/* Where a handler returns to. */
void run_restore(void);

struct siginfo {
    int number, error, code;
#ifdef __aarch64__
    int pad;
#endif
    uptr address;
    u8 rest[128 - 12 - sizeof(uptr)
#ifdef __aarch64__
            - 4
#endif
    ];
};

/* Runs a program, as run_enter does. */
uptr port_run(const struct registers *registers);
/* A context as a handler gets it, and only its program counter. */
u64 port_pc(const void *context);
void port_context(const void *context, struct stop *stop);
/* Whether a memory fault was a write. */
int port_was_write(const void *context);
void port_set_thread(const struct registers *registers);
void port_get_thread(struct registers *registers);
void port_code(u64 address, u64 size);
extern const u32 port_width;

/* Gates (gates.c), 256 and one to where calls in Thumb state return. A slot keeps two registers below the program's stack, as a signal
   might, and goes to run_arrive with the address behind itself in the link register; run_enter returns that. */
enum { GATES = 256, SLOT = 8, SLOTS = GATES + 1, RETURN_THUMB = 8, THUMB = 0x20 };
extern u8 run_slots[SLOTS][SLOT], run_arrive[], run_arrived[];
/* Fills a page with gates, and the one beside it with what they need. Returns where the slots are; 0 if this processor can have none. */
uptr port_gates(u32 *gates, u32 *beside);
/* The registers as a gate was passed, but for the program counter. */
void port_arrived(struct registers *registers);
