/* System calls, for linux.c, memory.c and user.c. */
#include "linux.h"

/* System calls: AArch64's number, ARM's number. */
#ifdef __aarch64__
#define NUMBER(a64, arm) a64
#else
#define NUMBER(a64, arm) arm
#endif
enum {
    SYS_DUP3 = NUMBER(24, 358),
    SYS_FCNTL = NUMBER(25, 55),
    SYS_IOCTL = NUMBER(29, 54),
    SYS_MKDIRAT = NUMBER(34, 323),
    SYS_SYMLINKAT = NUMBER(36, 331),
    SYS_MOUNT = NUMBER(40, 21),
    SYS_FTRUNCATE = NUMBER(46, 93),
    SYS_CHDIR = NUMBER(49, 12),
    SYS_CHROOT = NUMBER(51, 61),
    SYS_FCHMOD = NUMBER(52, 94),
    SYS_OPENAT = NUMBER(56, 322),
    SYS_CLOSE = NUMBER(57, 6),
    SYS_PIPE2 = NUMBER(59, 359),
    SYS_READ = NUMBER(63, 3),
    SYS_WRITE = NUMBER(64, 4),
    SYS_PREAD = NUMBER(67, 180),
    SYS_PWRITE = NUMBER(68, 181),
    SYS_PPOLL = NUMBER(73, 336),
    SYS_EXIT = NUMBER(93, 1),
    SYS_NANOSLEEP = NUMBER(101, 162),
    SYS_SIGALTSTACK = NUMBER(132, 186),
    SYS_SIGACTION = NUMBER(134, 174),
    SYS_SETSID = NUMBER(157, 66),
    SYS_SETHOSTNAME = NUMBER(161, 74),
    SYS_PRCTL = NUMBER(167, 172),
    SYS_GETPID = NUMBER(172, 20),
    SYS_MUNMAP = NUMBER(215, 91),
    SYS_CLONE = NUMBER(220, 120),
    SYS_EXECVE = NUMBER(221, 11),
    SYS_MMAP = NUMBER(222, 192), /* ARM's counts pages */
    SYS_MPROTECT = NUMBER(226, 125),
    SYS_MINCORE = NUMBER(232, 219),
    SYS_MADVISE = NUMBER(233, 220),
    SYS_WAIT4 = NUMBER(260, 114),
    SYS_FINIT_MODULE = NUMBER(273, 379),
};
#define CALL(number, a, b, c, d, e, f) syscall6(number, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
enum { AT_CWD = -100, READ_WRITE = 2, NO_TERMINAL = 0400, SYNCHRONOUS = 04010000, NON_BLOCKING = 04000, ASYNCHRONOUS = 020000, O_CREATE = 0100 };
enum {
    MAP_SHARED = 1,
    MAP_PRIVATE = 2,
    MAP_ANONYMOUS = 0x20,
    MAP_NORESERVE = 0x4000,
    MAP_POPULATE = 0x8000,
    MAP_FIXED_NOREPLACE = 0x100000,
};

/* The serial port, and whether it has a byte. */
extern int port;
int waiting(void);

/* The tested program's memory (memory.c): once at the start; before a program runs; when it touches what is not mapped. This returns
   whether it now is. */
void memory_start(void);
void memory_settle(void);
int memory_touch(u64 address);

/* Gates (gates.c): whether this program counter of a program that stopped is at one, and then the stop; whether it is between a gate and us. */
int gates_stop(u64 pc, struct stop *stop);
int gates_passed(u64 pc);

static inline long open(const char *path, int how)
{
    return CALL(SYS_OPENAT, AT_CWD, path, how, 0, 0, 0);
}

static inline int failed(long result)
{
    return (unsigned long)result > -4096ul;
}

static inline long map(u64 address, u64 size, int protection, int how, long file, u64 offset)
{
#ifdef __aarch64__
    return CALL(SYS_MMAP, address, size, protection, how, file, offset);
#else
    return CALL(SYS_MMAP, address, size, protection, how, file, offset / PAGE);
#endif
}

/* On ARM a 64-bit offset is in an even pair of registers. */
static inline long at_offset(long number, long file, const void *buffer, u64 size, u64 offset)
{
#ifdef __aarch64__
    return CALL(number, file, buffer, size, offset, 0, 0);
#else
    return CALL(number, file, buffer, size, 0, (u32)offset, (u32)(offset >> 32));
#endif
}
