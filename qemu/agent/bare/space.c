/* The tested program's address space: regions, and pages made when they are first touched. */
#include "../regions.h"
#include "bare.h"

/* Frames are handed out one after another, round and round: QEMU takes its time to forget code that was in a page, and does
   it when the page is written again. By then it has often forgotten everything anyway. Those given back are a list through
   their first word. All are physical. */
static u64 next_frame, handed_out, free_frames;

/* The address in a descriptor. */
#define FRAME 0xfffffffff000ull

static void *seen_at(u64 physical)
{
    return (void *)(uptr)(physical + OFFSET);
}

static u64 raw_frame(void)
{
    u64 frame = free_frames, first = ((uptr)image_end - OFFSET + PAGE - 1) & ~(PAGE - 1);
    if (frame) {
        free_frames = *(u64 *)seen_at(frame);
        return frame;
    }
    if (handed_out == (SHARED - first) / PAGE)
        return 0;
    handed_out++;
    if (next_frame < first || next_frame == SHARED)
        next_frame = first;
    next_frame += PAGE;
    return next_frame - PAGE;
}

static u64 zero_frame(void)
{
    u64 frame = raw_frame();
    if (frame)
        cpu_zero_page(seen_at(frame));
    return frame;
}

void platform_reset(void)
{
    regions_clear();
    free_frames = 0;
    handed_out = 0;
#ifdef __aarch64__
    for (u32 i = 1; i < 512; i++)
        top_table[i] = 0;
#endif
    for (u32 i = 0; i < 512; i++)
        if (i != (OFFSET >> GIGABYTE_SHIFT))
            gigabytes[i] = 0;
    for (u32 i = 0; i < WINDOW_FIRST; i++)
        third[i] = 0;
    cpu_flush();
}

void space_init(void)
{
    platform_reset();
}

static u64 *below(u64 *entry, int make)
{
    if (!*entry) {
        u64 frame = make ? zero_frame() : 0;
        if (!frame)
            return 0;
        *entry = frame | TABLE;
        cpu_published();
    }
    return seen_at(*entry & FRAME);
}

/* The last table over an address; 0 if there is none. */
static u64 *table(u64 address, int make)
{
    u64 *giga = gigabytes;
#ifdef __aarch64__
    if (address >> 48)
        return 0;
    giga = below(&top_table[address >> 39 & 511], make);
    if (!giga)
        return 0;
#endif
    u64 *mega = below(&giga[address >> GIGABYTE_SHIFT & 511], make);
    /* The window is not the program's. */
    if (!mega || (mega == third && (address >> BLOCK_SHIFT & 511) >= WINDOW_FIRST))
        return 0;
    return below(&mega[address >> BLOCK_SHIFT & 511], make);
}

static u64 *page_entry(u64 address, int make)
{
    u64 *pages = table(address, make);
    return pages ? &pages[address / PAGE & 511] : 0;
}

static u64 descriptor(u64 frame, u32 access)
{
    u64 bits = ATTRIBUTE_NORMAL | SHAREABLE | ACCESSED | NOT_GLOBAL | USER | PRIVILEGED_NO_EXECUTE;
    if (!(access & WRITE))
        bits |= READ_ONLY;
    if (!(access & EXECUTE))
        bits |= NO_EXECUTE;
    /* Without any access the frame stays noted, and the entry is not valid. */
    return frame | bits | (access ? PAGE_DESCRIPTOR : 0);
}

u32 platform_map(u64 address, u64 size, u32 access)
{
    return region_add(address, size, access);
}

/* The page entry at an address, which moves on to the next that may have one; 0 behind the last. */
static u64 *walk(u64 *address, u64 last)
{
    while (*address <= last) {
        u64 at = *address, *pages = table(at, 0);
        u64 step = pages ? PAGE : (1 << BLOCK_SHIFT) - (at & ((1 << BLOCK_SHIFT) - 1));
        /* The last byte of the address space has nothing behind it. */
        *address = last - at < step ? last + 1 : at + step;
        if (*address == 0)
            *address = ~0ull;
        if (pages && pages[at / PAGE & 511])
            return &pages[at / PAGE & 511];
        if (last - at < step)
            break;
    }
    return 0;
}

u32 platform_protect(u64 address, u64 size, u32 access)
{
    struct region *region = region_whole(address, size);
    if (!region)
        return NOT_MAPPED;
    region->access = access;
    for (u64 at = address, *entry; (entry = walk(&at, region->last));) {
        *entry = descriptor(*entry & FRAME, access);
        if (access & EXECUTE)
            cpu_code(seen_at(*entry & FRAME), PAGE);
    }
    cpu_code_done();
    cpu_flush();
    return OK;
}

u32 platform_unmap(u64 address, u64 size)
{
    struct region *region = region_whole(address, size);
    if (!region)
        return NOT_MAPPED;
    for (u64 at = address, *entry; (entry = walk(&at, region->last));) {
        u64 frame = *entry & FRAME;
        *entry = 0;
        *(u64 *)seen_at(frame) = free_frames;
        free_frames = frame;
    }
    region_remove(region);
    cpu_flush();
    return OK;
}

/* The frame behind an address in a region, where `whole` says that all of it will be written now. */
static u64 frame_at(u64 address, u32 access, int whole)
{
    u64 *entry = page_entry(address, 1);
    if (!entry)
        return 0;
    if (!*entry) {
        u64 frame = whole ? raw_frame() : zero_frame();
        if (!frame)
            return 0;
        *entry = descriptor(frame, access);
        cpu_published();
    }
    return *entry & FRAME;
}

static u64 wrap(u64 address)
{
#ifdef __aarch64__
    return address;
#else
    return address & 0xffffffff;
#endif
}

u32 platform_write(u64 address, const u8 *from, u64 size, u64 *bad)
{
    while (size) {
        u64 at = wrap(address), offset = at & (PAGE - 1);
        u64 step = PAGE - offset < size ? PAGE - offset : size;
        struct region *region = region_at(at);
        *bad = at;
        if (!region)
            return NOT_MAPPED;
        u64 frame = frame_at(at, region->access, step == PAGE);
        if (!frame)
            return NO_MEMORY;
        u8 *to = (u8 *)seen_at(frame) + offset;
        memcpy(to, from, step);
        if (region->access & EXECUTE)
            cpu_code(to, step);
        address = at + step;
        from += step;
        size -= step;
    }
    return OK;
}

u32 platform_read(u64 address, u8 *to, u64 size, u64 *bad)
{
    while (size) {
        u64 at = wrap(address), offset = at & (PAGE - 1);
        u64 step = PAGE - offset < size ? PAGE - offset : size;
        *bad = at;
        if (!region_at(at))
            return NOT_MAPPED;
        u64 *entry = page_entry(at, 0);
        if (entry && *entry)
            memcpy(to, (u8 *)seen_at(*entry & FRAME) + offset, step);
        else
            memset(to, 0, step);
        address = at + step;
        to += step;
        size -= step;
    }
    return OK;
}

void platform_synchronize(void)
{
    cpu_code_done();
}

u32 space_fault(u64 address, u32 wanted)
{
    struct region *region = region_at(address);
    u32 why = wanted == READ ? STOP_READ : wanted == WRITE ? STOP_WRITE : STOP_FETCH;
    if (!region || (region->access & wanted) != wanted)
        return why;
    u64 *entry = page_entry(address, 1);
    if (!entry)
        return STOP_MEMORY;
    /* It was allowed, and it was there. */
    if (*entry)
        return STOP_OTHER;
    return frame_at(address, region->access, 0) ? 0 : STOP_MEMORY;
}
