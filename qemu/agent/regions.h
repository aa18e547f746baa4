/* What a bare agent keeps of the tested program's address space: regions in address order. */
#ifndef REGIONS_H
#define REGIONS_H
#include "agent.h"

/* The last byte is inclusive. */
struct region {
    u64 start, last;
    u32 access;
};

void regions_clear(void);
u32 region_add(u64 address, u64 size, u32 access);
void region_remove(struct region *region);
/* The region that this address is in, or that is exactly this; 0 if there is none. */
struct region *region_at(u64 address);
struct region *region_whole(u64 address, u64 size);

#endif
