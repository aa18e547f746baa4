/* The agent as the first process of a Linux. The host's initramfs has it as /init, and tells it in /linkrig what there is. */
#include "system.h"

int port = -1;
static const char *shells[] = {"/agent64", "/agent32"};

/* -- running the tested program -- */

enum { SIGILL = 4, SIGTRAP = 5, SIGBUS = 7, SIGFPE = 8, SIGSEGV = 11, SIGIO = 29, SIGSYS = 31 };
enum { BUS_ADRALN = 1 };
static struct stop *running;

/* Bytes from the port that nobody has asked for yet. */
static u8 buffer[256];
static u32 taken, received;

int waiting(void)
{
    if (taken < received)
        return 1;
    struct {
        int file;
        short events, got;
    } poll = {port, 1, 0};
    long now[2] = {0, 0};
    return CALL(SYS_PPOLL, &poll, 1, now, 0, 0, 0) == 1;
}

static u32 judge(int number, const struct siginfo *info, const void *context, struct stop *stop)
{
    u64 pc = stop->registers.pc;
    stop->address = 0;
    switch (number) {
    case SIGILL:
        return STOP_UNDEFINED;
    case SIGTRAP:
        return STOP_BREAKPOINT;
    case SIGSYS:
        return STOP_SYSCALL;
    case SIGBUS:
        stop->address = info->address;
        return info->code == BUS_ADRALN ? STOP_UNALIGNED : STOP_OTHER;
    case SIGSEGV:
        stop->address = info->address;
        /* What can be executed can be read. */
        if (info->address - pc < 4)
            return STOP_FETCH;
        return port_was_write(context) ? STOP_WRITE : STOP_READ;
    }
    return STOP_OTHER;
}

static struct registers wanted;

static void handler(int number, const struct siginfo *info, const void *context)
{
    extern u8 text_base[], text_limit[];
    struct stop *stop = running;
    u64 pc = port_pc(context);
    if (number == SIGIO) {
        /* The port has something: while a program runs only an interruption is of interest. */
        int asked = 0;
        while (stop && !asked && waiting())
            asked = doorbell_wait() == DOORBELL_BREAK;
        /* One that has just left is over, too. */
        if (!asked || gates_passed(pc))
            return;
    } else if (number == SIGSEGV && stop && memory_touch(info->address))
        return;
    else if (!stop)
        CALL(SYS_EXIT, 70, 0, 0, 0, 0, 0); /* the agent itself failed */
    running = 0;
    port_context(context, stop);
    stop->detail = number;
    if (number != SIGIO) {
        if (!gates_stop(pc, stop))
            stop->kind = judge(number, info, context, stop);
    } else {
        stop->kind = STOP_INTERRUPTED;
        /* Before it began? */
        if (pc - (uptr)text_base < (uptr)(text_limit - text_base))
            memcpy(&stop->registers, &wanted, sizeof wanted);
    }
    run_leave();
}

void platform_run(const struct registers *registers, u32 flags, struct stop *stop)
{
    static struct stop result;
    memcpy(&wanted, registers, sizeof wanted);
    memset(&result, 0, sizeof result);
    result.kind = STOP_OTHER;
    memory_settle();
    if (!(flags & (RUN_STEP | RUN_BIG_ENDIAN)) && port_width == (flags & RUN_32 ? 32 : 64)) {
        port_set_thread(&wanted);
        running = &result;
        uptr slot = port_run(&wanted);
        running = 0;
        if (slot) {
            port_arrived(&result.registers);
            gates_stop(slot - SLOT, &result);
        }
        port_get_thread(&result.registers);
    }
    memcpy(stop, &result, sizeof result);
}

static void handle(int number)
{
    /* SIGINFO, RESTORER, ONSTACK, NODEFER: it mostly does not return in the usual way. */
    struct {
        void *handler;
        unsigned long flags;
        void *restorer;
        u64 mask;
    } action = {(void *)handler, 0x4 | 0x04000000 | 0x08000000 | 0x40000000, (void *)run_restore, 0};
    CALL(SYS_SIGACTION, number, &action, 0, 8, 0, 0);
}

/* Unaligned accesses that the architecture does not allow are signals, not repaired by the kernel. */
static void leave_unrepaired(void)
{
    long alignment = open("/proc/cpu/alignment", 1);
    CALL(SYS_WRITE, alignment, "4", 1, 0, 0, 0);
    CALL(SYS_CLOSE, alignment, 0, 0, 0, 0, 0);
}

/* System calls of anything but the agent are stopped: the tested program's are none of this kernel's business. */
static void confine(void)
{
    extern u8 text_base[], text_limit[];
    struct filter {
        u16 code;
        u8 yes, no;
        u32 operand;
    } filter[] = {
        {0x20, 0, 0, 12},                       /* the upper half of the program counter */
        {0x15, 0, 3, 0},                        /* 0 */
        {0x20, 0, 0, 8},                        /* the lower */
        {0x35, 0, 1, (u32)(uptr)text_base},    /* not below */
        {0x35, 0, 1, (u32)(uptr)text_limit},    /* or above: stop */
        {0x06, 0, 0, 0x00030000},               /* SECCOMP_RET_TRAP */
        {0x06, 0, 0, 0x7fff0000},               /* SECCOMP_RET_ALLOW */
    };
    struct {
        u16 count;
        struct filter *filter;
    } program = {ARRAY(filter), filter};
    CALL(SYS_PRCTL, 38, 1, 0, 0, 0, 0);        /* PR_SET_NO_NEW_PRIVS */
    CALL(SYS_PRCTL, 22, 2, &program, 0, 0, 0); /* PR_SET_SECCOMP; without it, it runs as well */
}

/* -- the doorbell -- */

u8 doorbell_wait(void)
{
    while (taken == received) {
        long got = CALL(SYS_READ, port, buffer, sizeof buffer, 0, 0, 0);
        if (got > 0) {
            taken = 0;
            received = got;
        }
    }
    return buffer[taken++];
}

void doorbell_ring(const u8 *bytes, u64 size)
{
    while (size) {
        long done = CALL(SYS_WRITE, port, bytes, size, 0, 0, 0);
        if (done > 0) {
            bytes += done;
            size -= done;
        }
    }
}

int doorbell_idle(void)
{
    struct {
        int file;
        short events, got;
    } poll = {port, 1, 0};
    long second[2] = {1, 0};
    return CALL(SYS_PPOLL, &poll, 1, second, 0, 0, 0) == 0;
}

static void open_port(const char *path)
{
    long got;
    /* A driver that is a module needs a moment. */
    for (int tries = 0; failed(got = open(path, READ_WRITE | NO_TERMINAL)) && tries < 500; tries++) {
        long moment[2] = {0, 10000000};
        CALL(SYS_NANOSLEEP, moment, 0, 0, 0, 0, 0);
    }
    port = got;
    struct {
        u32 input, output, control, local;
        u8 line, characters[19];
    } raw = {0, 0, 010002 | 060 | 0200 | 04000, 0, 0, {0}}; /* 115200, 8 bits, receiver on, no modem */
    raw.characters[6] = 1;                                  /* VMIN */
    CALL(SYS_IOCTL, port, 0x5404, &raw, 0, 0, 0);           /* TCSETSF */
    CALL(SYS_FCNTL, port, 8, CALL(SYS_GETPID, 0, 0, 0, 0, 0, 0), 0, 0, 0); /* F_SETOWN */
    CALL(SYS_FCNTL, port, 4, ASYNCHRONOUS, 0, 0, 0);        /* F_SETFL */
}

/* -- what there is -- */

static u64 number(const char **at)
{
    u64 value = 0;
    for (;; (*at)++) {
        char c = **at;
        if (c >= '0' && c <= '9')
            value = value << 4 | (c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (c - 'a' + 10);
        else
            return value;
    }
}

static int starts(const char *line, const char *word)
{
    while (*word)
        if (*line++ != *word++)
            return 0;
    return 1;
}

static u64 shared_base, shared_size;
/* Whether it is to run the programs of an image, and not those of tests. */
static int user;

/* One line of /linkrig: a word and its argument. Numbers are hexadecimal. */
static void configure(const char *line)
{
    if (starts(line, "module ")) {
        long file = open(line + 7, 0);
        CALL(SYS_FINIT_MODULE, file, "", 0, 0, 0, 0);
        CALL(SYS_CLOSE, file, 0, 0, 0, 0, 0);
    } else if (starts(line, "port "))
        open_port(line + 5);
    else if (starts(line, "user"))
        user = 1;
    else if (starts(line, "shared ")) {
        const char *at = line + 7;
        shared_base = number(&at);
        at++;
        shared_size = number(&at);
    }
}

static char text[0x4000];

static void read_configuration(void)
{
    long file = open("/linkrig", 0);
    long size = CALL(SYS_READ, file, text, sizeof text - 1, 0, 0, 0);
    CALL(SYS_CLOSE, file, 0, 0, 0, 0, 0);
    char *line = text;
    for (char *at = text; at < text + size; at++)
        if (*at == '\n') {
            *at = 0;
            configure(line);
            line = at + 1;
        }
}

u32 platform_become(u32 width)
{
    const char *path = shells[width == 32];
    const char *arguments[] = {path, "again", 0}, *environment[] = {0};
    platform_reset();
    return CALL(SYS_EXECVE, path, arguments, environment, 0, 0, 0);
}

void linux_main(void) __attribute__((noreturn));

void linux_main(void)
{
    static u8 alternative[0x4000] __attribute__((aligned(16)));
    struct {
        void *start;
        int flags;
        uptr size;
    } stack = {alternative, 0, sizeof alternative};
    CALL(SYS_MOUNT, "devtmpfs", "/dev", "devtmpfs", 0, "", 0);
    CALL(SYS_MOUNT, "proc", "/proc", "proc", 0, "", 0);
    CALL(SYS_SIGALTSTACK, &stack, 0, 0, 0, 0, 0);
    static const int signals[] = {SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGIO, SIGSYS};
    for (u32 i = 0; i < ARRAY(signals); i++)
        handle(signals[i]);
    read_configuration();
    memory_start();
    long device = shared_size ? open("/dev/mem", READ_WRITE | SYNCHRONOUS) : -1;
    long area = -1;
    if (!failed(device))
        area = map(0, shared_size, READ | WRITE, MAP_SHARED, device, shared_base);
    if (!failed(area))
        link_shared((void *)area, shared_size);
    else
        link_stream((void *)map(0, 0x200000, READ | WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 0x200000);
    if (!user) {
        leave_unrepaired();
        confine();
    }
    serve();
}
