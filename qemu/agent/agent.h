/* The guest agent: words that its parts share. One protocol core (core.c, link.c), and below it a platform: bare metal
   (bare/) or a process of Linux (linux/). Freestanding: no C library.

   What is on the wire is SimpleRemoteEPC, LLVM ORC's protocol, with one function more: a batch of operations on an address
   space and on a processor. docs/agent.md describes it; qemu/src/agent/ is its other end. */
#ifndef AGENT_H
#define AGENT_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef __UINTPTR_TYPE__ uptr;

#define PAGE 0x1000ull
#define ARRAY(a) (sizeof(a) / sizeof((a)[0]))

/* What may be done with a page. */
enum { READ = 1, WRITE = 2, EXECUTE = 4 };

/* A register file, as it is on the wire. 32-bit code has r0 to r14 in x, its sp in x[13]; its d0 to d31 are the first 32
   halves of v. */
struct registers {
    u64 x[31];
    u64 sp, pc, status;
    u64 thread, thread_read_only;
    u32 fpcr, fpsr;
    u64 v[64];
};

/* How code is run. */
enum { RUN_BIG_ENDIAN = 1, RUN_STEP = 2, RUN_32 = 4 };

/* Why it is not running any more. */
enum stop_kind {
    STOP_READ = 1,
    STOP_WRITE,
    STOP_FETCH,
    STOP_UNDEFINED,
    STOP_BREAKPOINT,
    STOP_UNALIGNED,
    STOP_STATE,
    STOP_SYSCALL,
    STOP_STEPPED,
    STOP_INTERRUPTED, /* the host asked for it */
    STOP_MEMORY,      /* no memory left for a page that it touched */
    STOP_OTHER,       /* detail is the syndrome */
};

struct stop {
    u32 kind, detail;
    u64 address;
    struct registers registers;
};

/* What a platform does. Addresses are the tested program's; sizes are whole pages. Those that return a number return 0, or a
   word from enum failure. */
enum failure { OK, NO_MEMORY, NOT_MAPPED, REFUSED, MALFORMED };
extern const char platform_triple[];
void platform_reset(void);
u32 platform_map(u64 address, u64 size, u32 access);
u32 platform_protect(u64 address, u64 size, u32 access);
u32 platform_unmap(u64 address, u64 size);
u32 platform_write(u64 address, const u8 *from, u64 size, u64 *bad);
u32 platform_read(u64 address, u8 *to, u64 size, u64 *bad);
void platform_run(const struct registers *registers, u32 flags, struct stop *stop);
/* The program leaves by jumping to one of these addresses, where nothing is mapped: every 16 bytes one may be of use. A platform on which
   faults are dear may have another way of noticing; the stop is the same. */
void platform_gates(u64 address, u64 size);
/* Where the compiler cannot know what a barrier takes: all before it is done before what is behind it. */
void platform_barrier(void);
/* After what was written last is code. */
void platform_synchronize(void);
/* Goes on as another executor, and returns only if it cannot. */
u32 platform_become(u32 width);
/* The user space of the image that it was booted from (linux/user.c): one operation. Returns the size of the reply; 0 where there is
   no such thing. */
u64 platform_user(const u8 *arguments, u64 size, u8 *reply, u64 room);

/* The doorbell: bytes to and from the host. */
u8 doorbell_wait(void);
void doorbell_ring(const u8 *bytes, u64 size);
/* Whether no byte comes within a second; never on bare metal, where nothing gets lost. */
int doorbell_idle(void);

/* Messages over it. Where there is memory that the host sees too, they lie in it; elsewhere they go through the doorbell. */
void link_shared(void *area, u64 size);
void link_stream(void *area, u64 size);
u8 *link_outbox(u64 *room);
void link_send(u64 size);
const u8 *link_receive(u64 *size);
/* Whether what was sent may have got lost: nothing came back for a second. What is in shared memory does not get lost. */
int link_unheard(void);
/* The byte by which the host interrupts what is running. */
#define DOORBELL_BREAK 0x03

void serve(void) __attribute__((noreturn));

void *memcpy(void *to, const void *from, uptr size);
void *memset(void *to, int byte, uptr size);

#endif
