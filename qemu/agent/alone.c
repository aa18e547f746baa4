/* What there is not without an operating system: another executor, the user space of an image, bytes that get lost, faults that are dear. */
#include "agent.h"

u32 platform_become(u32 width)
{
    (void)width;
    return REFUSED;
}

u64 platform_user(const u8 *arguments, u64 size, u8 *reply, u64 room)
{
    (void)arguments, (void)size, (void)reply, (void)room;
    return 0;
}

int doorbell_idle(void)
{
    return 0;
}

void platform_gates(u64 address, u64 size)
{
    (void)address, (void)size;
}
