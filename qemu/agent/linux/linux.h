/* Linux: what its two ports share, and what each has for itself (port64.h, port32.h, enter*.S). */
#include "../agent.h"

long syscall6(long number, long a, long b, long c, long d, long e, long f);

/* Starts the program whose signal frame this is; returns when run_leave is called. */
void run_enter(void *frame);
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

/* A frame as rt_sigreturn takes it, and a context as a handler gets it. */
void port_frame(const struct registers *registers, u32 flags);
void *port_frame_start(void);
void port_context(const void *context, struct stop *stop);
/* Whether a memory fault was a write. */
int port_was_write(const void *context);
void port_set_thread(const struct registers *registers);
void port_get_thread(struct registers *registers);
void port_code(u64 address, u64 size);
extern const u32 port_width;
