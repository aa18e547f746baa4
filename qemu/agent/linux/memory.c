/* The tested program's memory: mappings of this process.

   On an emulated processor a system call costs what hundreds of instructions do, and a change of the page tables far more. So they
   are avoided:
   - after a reset everything stays mapped. What is wanted again as it was, as the executor's own areas always are, is cleared;
   - memory that can be written is the kernel's, anonymous, and there as far as it was touched;
   - the rest, if it is small, are pages of one file, which is mapped once more where the agent writes it without asking anybody;
   - what nobody has wanted again is unmapped before a program runs. */
#include "system.h"

static struct region {
    u64 start, size;
    u32 access;
    u8 forgotten; /* since the last reset */
    u64 low, high; /* of the kernel's memory: what is mapped of it */
    u8 *here;     /* of the file: where the agent sees it */
    u64 used;     /* how much of that was written, from its start on */
} regions[2048];
static u32 count;

static int memory = -1, file = -1;
static u8 *pool;
static u64 next; /* the first byte of it that is free */
static u64 alike = PAGE; /* offset in the file and address are the same modulo this */
#define POOL_SIZE 0x800000ull
#define SMALL 0x10000ull
/* The most there is: SHMLBA of Linux. */
#define COLOURS 0x4000ull
/* The least that is mapped of anonymous memory. */
#define PIECE 0x4000ull
/* What is larger is sooner given back than cleared. */
#define CLEARED 0x10000ull

static long unmap(u64 start, u64 size)
{
    return CALL(SYS_MUNMAP, start, size, 0, 0, 0, 0);
}

void memory_start(void)
{
    memory = open("/proc/self/mem", READ_WRITE);
    file = CALL(SYS_OPENAT, AT_CWD, "/pool", READ_WRITE | O_CREATE, 0600, 0, 0);
    /* Without it things take longer. */
    if (failed(CALL(SYS_FTRUNCATE, file, POOL_SIZE, 0, 0, 0, 0)))
        return;
    long got = map(0, POOL_SIZE, READ | WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
    pool = failed(got) ? 0 : (u8 *)got;
    /* A cache that goes by addresses would hold such a page twice, and so the kernel refuses it. */
    u64 address = 0x400000 + PAGE;
    got = map(address, PAGE, READ, MAP_SHARED | MAP_FIXED_NOREPLACE, file, 0);
    if ((uptr)got != address)
        alike = COLOURS;
    if (!failed(got))
        unmap(got, PAGE);
}

static struct region *region_at(u64 address)
{
    for (u32 i = 0; i < count; i++)
        if (address - regions[i].start < regions[i].size && !regions[i].forgotten)
            return &regions[i];
    return 0;
}

static struct region *region_of(u64 address, u64 size, u8 forgotten)
{
    for (u32 i = 0; i < count; i++)
        if (regions[i].start == address && regions[i].size == size && regions[i].forgotten == forgotten)
            return &regions[i];
    return 0;
}

static int is_mapped(const struct region *region)
{
    return region->here || region->low < region->high;
}

/* Unmaps what is forgotten and has one of these addresses, together with what adjoins it. */
static void make_room(u64 address, u64 size)
{
    u64 start = 0, end = 0;
    for (u32 i = 0; i < count; i++) {
        struct region *r = &regions[i];
        int there = r->start - address < size || address - r->start < r->size;
        int adjoins = r->start == end || r->start + r->size == start;
        if (!r->forgotten || !(end ? adjoins : there))
            continue;
        if (is_mapped(r)) {
            start = !end || r->start < start ? r->start : start;
            end = r->start + r->size > end ? r->start + r->size : end;
        }
        *r = regions[--count];
        i = -1;
    }
    if (end) {
        unmap(start, end - start);
        make_room(address, size);
    }
}

void memory_settle(void)
{
    make_room(0, ~0ull);
}

void platform_reset(void)
{
    for (u32 i = 0; i < count; i++)
        regions[i].forgotten = 1;
    /* Not in the middle of a program, whose regions cannot move. */
    if (next > POOL_SIZE / 2) {
        memory_settle();
        next = 0;
    }
}

/* Maps a region, or a part of it. */
static u32 put(const struct region *region, u64 start, u64 size, int how, long from, u64 offset)
{
    long got = map(start, size, region->access, how | MAP_FIXED_NOREPLACE, from, offset);
    if (failed(got))
        return got == -12 ? NO_MEMORY : REFUSED;
    if ((uptr)got != (uptr)start) {
        /* A kernel before 4.17 takes it for a hint. */
        unmap(got, size);
        return REFUSED;
    }
    return OK;
}

static u32 put_anonymous(const struct region *region, u64 from, u64 to)
{
    int when = to - from <= PIECE ? MAP_POPULATE : MAP_NORESERVE;
    return put(region, from, to - from, MAP_PRIVATE | MAP_ANONYMOUS | when, -1, 0);
}

/* Maps anonymous memory from here to there, and what is between that and what is mapped. Each time it is more, as whoever needs more will
   need more still. */
static u32 extend(struct region *region, u64 from, u64 to)
{
    u64 limit = region->start + region->size;
    u64 more = region->high - region->low > PIECE ? region->high - region->low : PIECE;
    if (!is_mapped(region)) {
        u64 first = from & ~(PIECE - 1);
        region->low = region->high = first > region->start ? first : region->start;
    }
    if (from < region->low) {
        u64 down = region->low - region->start < more ? region->start : region->low - more;
        down = from < down ? from & ~(PAGE - 1) : down;
        u32 failure = put_anonymous(region, down, region->low);
        if (failure)
            return failure;
        region->low = down;
    }
    if (to > region->high) {
        u64 up = limit - region->high < more ? limit : region->high + more;
        up = to > up ? (to + PAGE - 1) & ~(PAGE - 1) : up;
        u32 failure = put_anonymous(region, region->high, up);
        if (failure)
            return failure;
        region->high = up;
    }
    return OK;
}

int memory_touch(u64 address)
{
    struct region *region = region_at(address);
    if (!region || region->here || address - region->low < region->high - region->low)
        return 0;
    return extend(region, address, address + 1) == OK;
}

/* Takes a forgotten region into use again, cleared. */
static void renew(struct region *region)
{
    u64 size = region->high - region->low;
    region->forgotten = 0;
    if (region->here)
        memset(region->here, 0, region->used);
    else if (size > CLEARED) {
        unmap(region->low, size);
        region->low = region->high = 0;
    } else
        memset((u8 *)(uptr)region->low, 0, size);
    region->used = 0;
}

/* Cleared bytes of the file for this address; none if it has no more. */
static u8 *take(u64 address, u64 size)
{
    u64 start = next + ((address - next) & (alike - 1));
    if (!pool || size > SMALL || start + size > POOL_SIZE)
        return 0;
    u8 *here = pool + start;
    next = start + size;
    memset(here, 0, size);
    return here;
}

u32 platform_map(u64 address, u64 size, u32 access)
{
    if (sizeof(uptr) == 4 && (address + size) >> 32)
        return REFUSED;
    struct region *same = region_of(address, size, 1);
    if (same && same->access == access && (access & WRITE || same->here)) {
        renew(same);
        return OK;
    }
    struct region region = {address, size, access, 0, 0, 0, access & WRITE ? 0 : take(address, size), 0};
    make_room(address, size);
    if (count == ARRAY(regions))
        return NO_MEMORY;
    u32 failure = region.here      ? put(&region, address, size, MAP_SHARED, file, region.here - pool)
                  : access & WRITE ? OK
                                   : extend(&region, address, address + size);
    if (!failure)
        regions[count++] = region;
    return failure;
}

u32 platform_protect(u64 address, u64 size, u32 access)
{
    struct region *region = region_of(address, size, 0);
    if (!region)
        return NOT_MAPPED;
    region->access = access;
    /* The program writes there, too, now. */
    if (access & WRITE)
        region->used = size;
    /* Nothing to change yet, if it can still be there when it is touched. */
    if (!is_mapped(region) && access & WRITE)
        return OK;
    u32 failure = region->here ? OK : extend(region, address, address + size);
    if (failure)
        return failure;
    if (failed(CALL(SYS_MPROTECT, address, size, access, 0, 0, 0)))
        return REFUSED;
    if (access & EXECUTE)
        port_code(address, size);
    return OK;
}

u32 platform_unmap(u64 address, u64 size)
{
    struct region *region = region_of(address, size, 0);
    if (!region)
        return NOT_MAPPED;
    int was_mapped = is_mapped(region);
    *region = regions[--count];
    return was_mapped && failed(unmap(address, size)) ? REFUSED : OK;
}

/* Between messages and memory. By way of the file of all memory protections do not matter; but the kernel's copies are neither whole
   nor aligned, as messages may need it. */
static long by_file(u64 address, u8 *outside, u64 size, int write)
{
    static u64 bounce[0x2000];
    size = size < sizeof bounce ? size : sizeof bounce;
    if (write)
        memcpy(bounce, outside, size);
    long done = at_offset(write ? SYS_PWRITE : SYS_PREAD, memory, bounce, size, address);
    if (!write && done > 0)
        memcpy(outside, bounce, done);
    return done;
}

static u32 transfer(u64 address, u8 *outside, u64 size, u64 *bad, int write)
{
    while (size) {
        struct region *region = region_at(address);
        *bad = address;
        if (!region)
            return NOT_MAPPED;
        u64 offset = address - region->start, left = region->size - offset;
        long done = left < size ? left : size;
        u32 failure = region->here ? OK : extend(region, address, address + done);
        if (failure)
            return failure;
        u8 *here = region->here ? region->here + offset : region->access & WRITE ? (u8 *)(uptr)address : 0;
        if (!here)
            done = by_file(address, outside, done, write);
        else if (write) {
            memcpy(here, outside, done);
            region->used = region->used > offset + done ? region->used : offset + done;
        } else
            memcpy(outside, here, done);
        if (done <= 0)
            return NO_MEMORY;
        if (write && region->access & EXECUTE)
            port_code(address, done);
        address += done;
        outside += done;
        size -= done;
    }
    return OK;
}

u32 platform_write(u64 address, const u8 *from, u64 size, u64 *bad)
{
    return transfer(address, (u8 *)from, size, bad, 1);
}

u32 platform_read(u64 address, u8 *to, u64 size, u64 *bad)
{
    return transfer(address, to, size, bad, 0);
}

void platform_synchronize(void)
{
}
