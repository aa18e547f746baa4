#include "regions.h"

static struct region regions[2048];
static u32 count;

void regions_clear(void)
{
    count = 0;
}

/* The first region that does not end before this address. */
static u32 find(u64 address)
{
    u32 low = 0, high = count;
    while (low < high) {
        u32 middle = (low + high) / 2;
        if (regions[middle].last < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct region *region_at(u64 address)
{
    u32 index = find(address);
    return index < count && regions[index].start <= address ? &regions[index] : 0;
}

struct region *region_whole(u64 address, u64 size)
{
    struct region *region = region_at(address);
    return region && region->start == address && region->last == address + size - 1 ? region : 0;
}

u32 region_add(u64 address, u64 size, u32 access)
{
    u32 index = find(address);
    u64 last = address + size - 1;
    if (!size || last < address || (index < count && regions[index].start <= last))
        return REFUSED;
    if (count == ARRAY(regions))
        return NO_MEMORY;
    for (u32 i = count++; i > index; i--)
        regions[i] = regions[i - 1];
    regions[index] = (struct region){address, last, access};
    return OK;
}

void region_remove(struct region *region)
{
    for (u32 i = region - regions; i + 1 < count; i++)
        regions[i] = regions[i + 1];
    count--;
}
