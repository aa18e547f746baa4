/* The tested program's memory: where memory is, and protected by the MPU, page by page.

   An MPU has a handful of regions, a program may have any number. So they are used as a TLB is: nothing is allowed at first, and what
   is touched is looked up and takes the place of what was there longest. The first of them are the stack's: an exception has to find
   room there, and would else leave no trace of where the program was. */
#include "../regions.h"
#include "cortex-m.h"

#define FEATURES 0xe000ed50 /* ID_MMFR0; bits 7 to 4 are the version of the MPU */
#define MPU_TYPE 0xe000ed90
#define MPU_NUMBER 0xe000ed98
#define MPU_BASE 0xe000ed9c
#define MPU_LIMIT 0xe000eda0 /* of PMSAv8; attributes and size in PMSAv7 */
#define MPU_MEMORY 0xe000edc0

/* So much is seen to at a time: of the smallest region of PMSAv7 each eighth, which can be left out, is a page. */
enum { WINDOW_SHIFT = 15 };
/* The largest window of a stack, and how many there are. */
enum { STACK_SHIFT = 21, STACK_SLOTS = 2, FRAME_SIZE = 40 };

/* What is allowed, in whole pages. */
static struct slot {
    u32 start, last, access;
} slots[16];
static u32 slot_count, next_slot;
static int ranges; /* PMSAv8: from anywhere to anywhere; else in eighths of a power of two */

/* Pages: what may hold something, and what is as the program is to find it since it was mapped. */
#define MOST_PAGES 0x60000
static u32 dirty[MOST_PAGES / 32], ready[MOST_PAGES / 32];

static u32 page_number(u32 address)
{
    return (address - parameters.memory) / (u32)PAGE;
}

/* Makes pages as the program is to find them; all of them will be written now, where that is `whole`. */
static void prepare(u32 start, u32 last, int writes, int whole)
{
    for (u32 page = page_number(start); page <= page_number(last); page++) {
        u32 word = page / 32, bit = 1u << page % 32;
        if (!(ready[word] & bit) && dirty[word] & bit && !whole) {
            memset((void *)(parameters.memory + page * (u32)PAGE), 0, PAGE);
            dirty[word] &= ~bit;
        }
        ready[word] |= bit;
        if (writes)
            dirty[word] |= bit;
    }
}

static void forbid(u32 index)
{
    if (!slots[index].access)
        return;
    slots[index].access = 0;
    REGISTER(MPU_NUMBER) = index;
    REGISTER(MPU_LIMIT) = 0;
}

static void forbid_all(void)
{
    for (u32 i = 0; i < slot_count; i++)
        forbid(i);
    next_slot = STACK_SLOTS;
}

/* Allows what is in the window of 1 << shift bytes around an address. */
static void allow(u32 index, struct slot slot, u32 shift)
{
    forbid(index);
    prepare(slot.start, slot.last, slot.access & WRITE, 0);
    slots[index] = slot;
    u32 never_execute = !(slot.access & EXECUTE), base = slot.start, limit;
    if (ranges) {
        base |= (slot.access & WRITE ? 1 : 3) << 1 | never_execute;
        limit = (slot.last & ~31u) | 1;
    } else {
        u32 eighth = 1u << (shift - 3), window = slot.start & ~((1u << shift) - 1);
        u32 left_out = 0xff;
        for (u32 at = slot.start; at - slot.start < slot.last - slot.start; at += eighth)
            left_out &= ~(1u << (at - window) / eighth);
        base = window;
        limit = never_execute << 28 | (slot.access & WRITE ? 3 : 2) << 24 | 0xb << 16 | left_out << 8 | (shift - 1) << 1 | 1;
    }
    REGISTER(MPU_NUMBER) = index;
    REGISTER(MPU_BASE) = base;
    REGISTER(MPU_LIMIT) = limit;
}

/* The part of a region around an address that one window of this size can allow: eighths that are all the region's. */
static struct slot part(const struct region *region, u32 address, u32 shift)
{
    u32 eighth = 1u << (shift - 3), window = address & ~((1u << shift) - 1);
    u32 start = address & ~(eighth - 1), last = start + eighth - 1;
    if (start < region->start || last > region->last)
        return (struct slot){1, 0, 0};
    while (start > window && start - eighth >= region->start)
        start -= eighth;
    while (last < window + (1u << shift) - 1 && last + eighth <= region->last)
        last += eighth;
    return (struct slot){start, last, region->access};
}

static int allowed(u32 address, u32 wanted)
{
    for (u32 i = 0; i < slot_count; i++)
        if (slots[i].access & wanted && slots[i].start <= address && address <= slots[i].last)
            return 1;
    return 0;
}

u32 space_fault(u64 *address, u32 wanted)
{
    /* What crosses the end of a page is reported where it begins. */
    if (allowed(*address, wanted))
        *address = (*address | (PAGE - 1)) + 1;
    struct region *region = region_at(*address);
    if (!region || (region->access & wanted) != wanted)
        return wanted == READ ? STOP_READ : wanted == WRITE ? STOP_WRITE : STOP_FETCH;
    if (allowed(*address, wanted))
        return STOP_OTHER;
    allow(next_slot, part(region, *address, WINDOW_SHIFT), WINDOW_SHIFT);
    next_slot = next_slot + 1 < slot_count ? next_slot + 1 : STACK_SLOTS;
    return 0;
}

/* Allows as much as can be had of a stack, from this address down. */
static void allow_stack(const struct region *region, u32 address)
{
    forbid_all();
    for (u32 i = 0; i < STACK_SLOTS && region->start <= address && address <= region->last; i++) {
        struct slot most = {1, 0, 0};
        u32 its_shift = 0;
        for (u32 shift = WINDOW_SHIFT; shift <= STACK_SHIFT; shift++) {
            struct slot slot = part(region, address, shift);
            if (slot.last + 1 - slot.start > most.last + 1 - most.start) {
                most = slot;
                its_shift = shift;
            }
        }
        allow(i, most, its_shift);
        address = most.start - 1;
    }
}

static int stack_allowed(u32 address)
{
    u32 i = 0;
    while (i < STACK_SLOTS && !(slots[i].access && slots[i].start <= address && address <= slots[i].last))
        i++;
    return i < STACK_SLOTS;
}

int space_stack(u32 sp)
{
    struct region *region = region_at(sp - 1);
    if (!region || !(region->access & WRITE) || sp - region->start < FRAME_SIZE)
        return 0;
    if (stack_allowed(sp - 1) && stack_allowed(sp - FRAME_SIZE))
        return 1;
    /* All of it, where that is possible: it may be left upwards as well as downwards. */
    allow_stack(region, region->last);
    if (!stack_allowed(sp - 1) || !stack_allowed(sp - FRAME_SIZE))
        allow_stack(region, sp - 1);
    return 1;
}

void platform_reset(void)
{
    regions_clear();
    forbid_all();
}

void space_init(void)
{
    ranges = (REGISTER(FEATURES) >> 4 & 15) >= 4;
    slot_count = REGISTER(MPU_TYPE) >> 8 & 0xff;
    if (slot_count > ARRAY(slots))
        slot_count = ARRAY(slots);
    if (ranges)
        REGISTER(MPU_MEMORY) = 0xff; /* normal, write-back */
    platform_reset();
}

u32 platform_map(u64 address, u64 size, u32 access)
{
    u64 last = address + size - 1;
    if (address < parameters.memory || last > parameters.memory_last || page_number(last) >= MOST_PAGES)
        return NO_MEMORY;
    u32 failure = region_add(address, size, access);
    if (failure == OK)
        for (u32 page = page_number(address); page <= page_number(last); page++)
            ready[page / 32] &= ~(1u << page % 32);
    return failure;
}

u32 platform_protect(u64 address, u64 size, u32 access)
{
    struct region *region = region_whole(address, size);
    if (!region)
        return NOT_MAPPED;
    region->access = access;
    forbid_all();
    return OK;
}

u32 platform_unmap(u64 address, u64 size)
{
    struct region *region = region_whole(address, size);
    if (!region)
        return NOT_MAPPED;
    region_remove(region);
    forbid_all();
    return OK;
}

u32 platform_write(u64 address, const u8 *from, u64 size, u64 *bad)
{
    while (size) {
        u32 at = address, offset = at & (PAGE - 1);
        u64 step = PAGE - offset < size ? PAGE - offset : size;
        *bad = at;
        if (!region_at(at))
            return NOT_MAPPED;
        prepare(at, at, 1, step == PAGE);
        memcpy((void *)at, from, step);
        address = (u64)at + step;
        from += step;
        size -= step;
    }
    return OK;
}

u32 platform_read(u64 address, u8 *to, u64 size, u64 *bad)
{
    while (size) {
        u32 at = address, offset = at & (PAGE - 1);
        u64 step = PAGE - offset < size ? PAGE - offset : size;
        *bad = at;
        if (!region_at(at))
            return NOT_MAPPED;
        prepare(at, at, 0, 0);
        memcpy(to, (const void *)at, step);
        address = (u64)at + step;
        to += step;
        size -= step;
    }
    return OK;
}
