/* The user space of the image that the board was booted from: its root file system becomes ours, files are put into it, and one
   program at a time runs there, its input and output in messages. Each operation is a call of linkrig_user with a struct below,
   answered by an error number of Linux and what else there is to say; harness/src/command/board/user.rs is the other end.

   Messages lie in memory that only takes whole, aligned accesses; the kernel's copies are neither, so they go by way of `bounce`. */
#include "system.h"

enum { OP_ENTER = 1, OP_FILE, OP_START, OP_STEP };
enum { E_NOENT = 2, E_INTR = 4, E_AGAIN = 11, E_2BIG = 7, E_INVAL = 22 };
enum { O_WRITE = 1, O_TRUNCATE = 01000, O_CLOSE_ON_EXEC = 02000000 };

static u8 bounce[0x10000] __attribute__((aligned(16)));

static long close(long file)
{
    return CALL(SYS_CLOSE, file, 0, 0, 0, 0, 0);
}

/* -- strings: each ends in a zero -- */

static char strings[0x20000];
/* Groups of them, each with a null pointer behind it. */
static const char *pointers[0x2000];

/* Puts the strings of a message into groups of these sizes. */
static u32 read_strings(const u8 *at, u64 size, const u32 *counts, u32 groups, const char **starts[])
{
    if (size > sizeof strings)
        return E_2BIG;
    memcpy(strings, at, size);
    const char **next = pointers, **limit = pointers + ARRAY(pointers);
    u64 from = 0;
    for (u32 group = 0; group < groups; group++) {
        if (counts[group] >= (u64)(limit - next))
            return E_2BIG;
        starts[group] = next;
        for (u32 i = 0; i < counts[group]; i++) {
            *next++ = strings + from;
            while (from < size && strings[from])
                from++;
            if (from++ >= size)
                return E_INVAL;
        }
        *next++ = 0;
    }
    return 0;
}

/* -- the root file system -- */

#define ROOT "/card"
static const struct {
    const char *from, *to, *type, *options;
} mounts[] = {
    {"proc", ROOT "/proc", "proc", ""},
    {"sysfs", ROOT "/sys", "sysfs", ""},
    {"devtmpfs", ROOT "/dev", "devtmpfs", ""},
    {"devpts", ROOT "/dev/pts", "devpts", "gid=5,mode=620,ptmxmode=666"},
    {"tmpfs", ROOT "/dev/shm", "tmpfs", ""},
    {"tmpfs", ROOT "/run", "tmpfs", "mode=755"},
    {"tmpfs", ROOT "/tmp", "tmpfs", ""},
};
static const struct {
    const char *to, *at;
} links[] = {
    {"/proc/self/fd", "/dev/fd"},
    {"/proc/self/fd/0", "/dev/stdin"},
    {"/proc/self/fd/1", "/dev/stdout"},
    {"/proc/self/fd/2", "/dev/stderr"},
};

static void make_directory(const char *path)
{
    CALL(SYS_MKDIRAT, AT_CWD, path, 0755, 0, 0, 0);
}

struct enter {
    u32 op;
    u32 patience; /* seconds that the card may take to show up */
    u32 count;    /* of devices that may be it */
    u32 unused;
    u8 strings[]; /* its name, and the devices */
};
/* What failed. */
enum { NOTHING, NO_DEVICE, NOT_MOUNTED };
struct entered {
    u32 error, what, device;
};

static struct entered enter(const struct enter *message, u64 size)
{
    const char **groups[2], **devices;
    u32 counts[2] = {1, message->count}, count = message->count;
    u32 error = read_strings(message->strings, size - sizeof *message, counts, 2, groups);
    if (error)
        return (struct entered){error, NOTHING, 0};
    u32 length = 0;
    while (groups[0][0][length])
        length++;
    CALL(SYS_SETHOSTNAME, groups[0][0], length, 0, 0, 0, 0);
    devices = groups[1];
    for (u32 tries = 0; tries <= 100 * message->patience; tries++) {
        for (u32 i = 0; i < count; i++) {
            long file = open(devices[i], O_CLOSE_ON_EXEC);
            if (failed(file))
                continue;
            close(file);
            make_directory(ROOT);
            long got = CALL(SYS_MOUNT, devices[i], ROOT, "ext4", 1024, "", 0); /* MS_NOATIME */
            if (failed(got))
                return (struct entered){-got, NOT_MOUNTED, i};
            for (u32 m = 0; m < ARRAY(mounts); m++) {
                make_directory(mounts[m].to);
                /* Not every kernel has all of them, nor needs every program any. */
                CALL(SYS_MOUNT, mounts[m].from, mounts[m].to, mounts[m].type, 0, mounts[m].options, 0);
            }
            CALL(SYS_CHDIR, ROOT, 0, 0, 0, 0, 0);
            got = CALL(SYS_MOUNT, ".", "/", "", 8192, "", 0); /* MS_MOVE */
            if (!failed(got))
                got = CALL(SYS_CHROOT, ".", 0, 0, 0, 0, 0);
            if (failed(got))
                return (struct entered){-got, NOT_MOUNTED, i};
            for (u32 l = 0; l < ARRAY(links); l++)
                CALL(SYS_SYMLINKAT, links[l].to, AT_CWD, links[l].at, 0, 0, 0);
            return (struct entered){0, NOTHING, i};
        }
        long moment[2] = {0, 10000000};
        CALL(SYS_NANOSLEEP, moment, 0, 0, 0, 0, 0);
    }
    return (struct entered){E_NOENT, NO_DEVICE, 0};
}

/* -- files -- */

struct file {
    u32 op, mode;
    u64 offset;  /* a file comes in pieces, the first of which makes it */
    u64 strings; /* bytes of its path, which are padded to 8 */
    u8 path[];   /* and behind it the content */
};

static u32 put_file(const struct file *message, u64 size)
{
    const char **path;
    u32 one = 1;
    size -= sizeof *message;
    if (message->strings > size || message->strings % 8)
        return E_INVAL;
    u32 error = read_strings(message->path, message->strings, &one, 1, &path);
    if (error)
        return error;
    char *name = (char *)path[0];
    for (char *at = name + 1; !message->offset && *name && *at; at++)
        if (*at == '/') {
            *at = 0;
            make_directory(name);
            *at = '/';
        }
    int how = O_CLOSE_ON_EXEC | O_WRITE | (message->offset ? 0 : O_CREATE | O_TRUNCATE);
    long file = CALL(SYS_OPENAT, AT_CWD, name, how, 0600, 0, 0);
    if (failed(file))
        return -file;
    const u8 *content = message->path + message->strings;
    u64 left = size - message->strings, offset = message->offset;
    long got = CALL(SYS_FCHMOD, file, message->mode, 0, 0, 0, 0);
    while (left && !failed(got)) {
        u64 step = left < sizeof bounce ? left : sizeof bounce;
        memcpy(bounce, content, step);
        got = at_offset(SYS_PWRITE, file, bounce, step, offset);
        if (failed(got))
            break;
        content += got;
        offset += got;
        left -= got;
    }
    close(file);
    return failed(got) ? -got : 0;
}

/* -- a program -- */

static long process = -1, input = -1, output = -1, errors = -1;
static u32 size_of_terminal[2];

static void forget(long *file)
{
    if (*file >= 0)
        close(*file);
    *file = -1;
}

struct start {
    u32 op;
    u32 terminal; /* whether it is to have one */
    u32 rows, columns;
    u32 counts[4]; /* a directory; paths of which the first that is there is the program; arguments; environment */
    u8 strings[];
};
struct started {
    u32 error, terminal;
};

static void resize(u32 rows, u32 columns)
{
    u16 size[4] = {rows, columns, 0, 0};
    if (size_of_terminal[0] == rows && size_of_terminal[1] == columns)
        return;
    size_of_terminal[0] = rows;
    size_of_terminal[1] = columns;
    CALL(SYS_IOCTL, output, 0x5414, size, 0, 0, 0); /* TIOCSWINSZ */
}

/* The other end of a terminal. */
static long open_terminal(long master)
{
    u32 number = 0, zero = 0;
    char path[] = "/dev/pts/0000000000", *at = path + sizeof "/dev/pts/" - 1;
    CALL(SYS_IOCTL, master, 0x40045431, &zero, 0, 0, 0); /* TIOCSPTLCK */
    long got = CALL(SYS_IOCTL, master, 0x80045430, &number, 0, 0, 0); /* TIOCGPTN */
    if (failed(got))
        return got;
    u32 digits = 1;
    for (u32 n = number; n >= 10; n /= 10)
        digits++;
    for (at[digits] = 0; digits--; number /= 10)
        at[digits] = '0' + number % 10;
    return open(path, O_CLOSE_ON_EXEC | READ_WRITE | NO_TERMINAL);
}

/* In the new process, whose standard input, output and errors these files are to be. */
static void become_program(const long *files, int terminal, const char **groups[], long report)
{
    long high[3], got = 0;
    CALL(SYS_SETSID, 0, 0, 0, 0, 0, 0);
    /* Not over one another: they may have these very numbers. */
    for (int i = 0; i < 3; i++)
        high[i] = CALL(SYS_FCNTL, files[i], 1030, 100, 0, 0, 0); /* F_DUPFD_CLOEXEC */
    report = CALL(SYS_FCNTL, report, 1030, 100, 0, 0, 0);
    for (int i = 0; i < 3; i++)
        CALL(SYS_DUP3, high[i], i, 0, 0, 0, 0);
    for (int i = 3; i < 64; i++)
        CALL(SYS_FCNTL, i, 2, 1, 0, 0, 0); /* F_SETFD, FD_CLOEXEC */
    if (terminal)
        CALL(SYS_IOCTL, 0, 0x540e, 0, 0, 0, 0); /* TIOCSCTTY */
    got = CALL(SYS_CHDIR, groups[0][0], 0, 0, 0, 0, 0);
    for (const char **path = groups[1]; *path && (got == 0 || got == -E_NOENT); path++)
        got = CALL(SYS_EXECVE, *path, groups[2], groups[3], 0, 0, 0);
    u32 error = -got;
    CALL(SYS_WRITE, report, &error, sizeof error, 0, 0, 0);
    CALL(SYS_EXIT, 127, 0, 0, 0, 0, 0);
}

static struct started start(const struct start *message, u64 size)
{
    const char **groups[4];
    u32 counts[4];
    memcpy(counts, message->counts, sizeof counts);
    u32 error = read_strings(message->strings, size - sizeof *message, counts, 4, groups);
    if (error || counts[0] != 1 || !counts[1])
        return (struct started){error ? error : E_INVAL, 0};
    forget(&input);
    forget(&output);
    forget(&errors);

    /* Pairs of read end and write end. */
    int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1}, report[2] = {-1, -1};
    long slave = -1, master = message->terminal ? open("/dev/ptmx", O_CLOSE_ON_EXEC | READ_WRITE | NO_TERMINAL) : -1;
    if (master >= 0)
        slave = open_terminal(master);
    int terminal = slave >= 0;
    if (!terminal && master >= 0)
        close(master);
    long got = CALL(SYS_PIPE2, report, O_CLOSE_ON_EXEC, 0, 0, 0, 0);
    if (terminal) {
        input = output = master;
        size_of_terminal[0] = size_of_terminal[1] = ~0u;
        resize(message->rows, message->columns);
    } else {
        int *pipes[] = {in, out, err};
        for (int i = 0; i < 3 && !failed(got); i++)
            got = CALL(SYS_PIPE2, pipes[i], O_CLOSE_ON_EXEC, 0, 0, 0, 0);
        input = in[1];
        output = out[0];
        errors = err[0];
    }
    if (!failed(got))
        got = CALL(SYS_CLONE, 17, 0, 0, 0, 0, 0); /* SIGCHLD */
    if (got == 0) {
        long files[] = {terminal ? slave : in[0], terminal ? slave : out[1], terminal ? slave : err[1]};
        become_program(files, terminal, groups, report[1]);
    }
    process = got;
    error = failed(got) ? -got : 0;
    long ends[] = {slave, in[0], out[1], err[1], report[1]};
    for (u32 i = 0; i < ARRAY(ends); i++)
        if (ends[i] >= 0)
            close(ends[i]);
    /* It is closed when the program is there. */
    while (!error && (got = CALL(SYS_READ, report[0], &error, sizeof error, 0, 0, 0)) == -E_INTR)
        ;
    close(report[0]);
    CALL(SYS_FCNTL, input, 4, NON_BLOCKING, 0, 0, 0); /* F_SETFL */
    CALL(SYS_FCNTL, output, 4, NON_BLOCKING, 0, 0, 0);
    if (!terminal)
        CALL(SYS_FCNTL, errors, 4, NON_BLOCKING, 0, 0, 0);
    return (struct started){error, terminal};
}

struct step {
    u32 op;
    u32 no_more; /* whether this is the end of the input */
    u32 rows, columns;
    u8 input[];
};
struct stepped {
    u32 error;
    u32 ended, status; /* as wait4 has it */
    u32 taken;         /* bytes of the input; the host keeps the rest */
    u32 output, errors; /* bytes of each that follow, padded to 8 */
};
/* A step gives no more of each than this, and takes about so long if there is nothing to give: in moments of 50 ms. */
enum { MOST = 1 << 20, MOMENTS = 20 };

/* Whether the program is over. Processes that nobody else waits for are ours, as the first one. */
static int over(u32 *status)
{
    for (;;) {
        u32 how = 0;
        long got = CALL(SYS_WAIT4, -1, &how, 1, 0, 0, 0); /* WNOHANG */
        if (got <= 0)
            return process < 0;
        if (got == process) {
            *status = how;
            process = -1;
            return 1;
        }
    }
}

/* What there is to read, and whether that was all for now. */
static u32 drain(long *file, u8 *to, u64 room, int *all)
{
    u32 size = 0;
    *all = 0;
    room = room < MOST ? room : MOST;
    while (*file >= 0 && room - size >= sizeof bounce) {
        long got = CALL(SYS_READ, *file, bounce, sizeof bounce, 0, 0, 0);
        if (got == -E_INTR)
            continue;
        if (got == -E_AGAIN)
            break;
        if (got <= 0) {
            /* A terminal is in and out in one. */
            if (input == *file)
                input = -1;
            forget(file);
            break;
        }
        memcpy(to + size, bounce, got);
        size += got;
    }
    *all = *file < 0 || room - size >= sizeof bounce;
    return size;
}

static u32 feed(const u8 *from, u64 size)
{
    u32 taken = 0;
    while (input >= 0 && taken < size) {
        u64 step = size - taken < 0x1000 ? size - taken : 0x1000;
        memcpy(bounce, from + taken, step);
        long got = CALL(SYS_WRITE, input, bounce, step, 0, 0, 0);
        if (got == -E_INTR)
            continue;
        if (got == -E_AGAIN)
            return taken;
        if (got < 0 && input != output)
            forget(&input);
        if (got < 0)
            break;
        taken += got;
    }
    /* Nobody reads the rest. */
    return input < 0 ? size : taken;
}

/* Waits for one of the files and for the host, which may have something to say. Returns whether it has. */
static int wait(int writing)
{
    struct {
        int file;
        short events, got;
    } polls[] = {{port, 1, 0}, {output, 1, 0}, {errors, 1, 0}, {writing ? input : -1, 4, 0}};
    /* Without output there is only the end to wait for, and it is near. */
    long moment[2] = {0, output < 0 && errors < 0 ? 2000000 : 50000000};
    if (!waiting())
        CALL(SYS_PPOLL, polls, ARRAY(polls), moment, 0, 0, 0);
    while (waiting())
        if (doorbell_wait() == DOORBELL_BREAK)
            return 1;
    return 0;
}

static u64 step(const struct step *message, u64 size, struct stepped *reply, u64 room)
{
    struct stepped result = {0};
    u8 *bytes = (u8 *)(reply + 1);
    u64 half = (room - sizeof *reply) / 2;
    size -= sizeof *message;
    if (output >= 0 && output == input)
        resize(message->rows, message->columns);
    for (int moments = 0;; moments++) {
        int all_output, all_errors;
        /* What is over has written all it will. */
        int ended = over(&result.status);
        result.taken = feed(message->input, size);
        if (message->no_more && result.taken == size && input != output)
            forget(&input);
        result.output = drain(&output, bytes, half, &all_output);
        u64 padded = (result.output + 7) & ~7ull;
        result.errors = drain(&errors, bytes + padded, half, &all_errors);
        result.ended = ended && all_output && all_errors;
        if (result.ended || result.output || result.errors || (size && result.taken) || moments == MOMENTS || wait(result.taken < size)) {
            memcpy(reply, &result, sizeof result);
            return sizeof *reply + padded + result.errors;
        }
    }
}

u64 platform_user(const u8 *arguments, u64 size, u8 *reply, u64 room)
{
    static const u8 sizes[] = {[OP_ENTER] = sizeof(struct enter), [OP_FILE] = sizeof(struct file), [OP_START] = sizeof(struct start),
                               [OP_STEP] = sizeof(struct step)};
    u32 op = size >= sizeof op ? *(const u32 *)arguments : 0;
    u32 error = E_INVAL;
    if (!op || op >= ARRAY(sizes) || size < sizes[op])
        op = 0;
    if (op == OP_ENTER) {
        struct entered entered = enter((const struct enter *)arguments, size);
        memcpy(reply, &entered, sizeof entered);
        return sizeof entered;
    }
    if (op == OP_START) {
        struct started started = start((const struct start *)arguments, size);
        memcpy(reply, &started, sizeof started);
        return sizeof started;
    }
    if (op == OP_STEP)
        return step((const struct step *)arguments, size, (struct stepped *)reply, room);
    if (op == OP_FILE)
        error = put_file((const struct file *)arguments, size);
    memcpy(reply, &error, sizeof error);
    return sizeof error;
}
