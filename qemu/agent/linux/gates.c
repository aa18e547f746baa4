/* Gates: code where the program leaves, so that it comes straight back to us instead of by a signal.

   Of each 16 bytes the first instruction is a gate, and the rest undefined. It leads to its slot, and the slots to run_arrive. Where that
   cannot be, and whatever else goes wrong, it is a signal, and the stop is the same: a fetch from where nothing is. */
#include "system.h"

enum { STRIDE = 16 };
static uptr gates, beside, slots;

void platform_gates(u64 address, u64 size)
{
    if (gates || size < 2 * PAGE)
        return;
    gates = address;
    /* ARM code gets everywhere by way of the next page. AArch64 code needs its slots near: they are in the last page, as far from what is of
       use as can be. */
    beside = sizeof(uptr) == 8 ? address + size - PAGE : address + PAGE;
    uptr pages[] = {gates, beside};
    for (u32 i = 0; i < ARRAY(pages); i++) {
        uptr got = map(pages[i], PAGE, READ | WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (got == pages[i])
            continue;
        if (!failed(got))
            CALL(SYS_MUNMAP, got, PAGE, 0, 0, 0, 0);
        if (i)
            CALL(SYS_MUNMAP, gates, PAGE, 0, 0, 0, 0);
        return;
    }
    slots = port_gates((u32 *)gates, (u32 *)beside);
    for (u32 i = 0; i < ARRAY(pages); i++)
        if (slots) {
            port_code(pages[i], PAGE);
            CALL(SYS_MPROTECT, pages[i], PAGE, READ | EXECUTE, 0, 0, 0);
        } else
            CALL(SYS_MUNMAP, pages[i], PAGE, 0, 0, 0, 0);
}

int gates_stop(u64 at, struct stop *stop)
{
    u64 gate = (at - slots) / SLOT, pc = gates + gate * STRIDE;
    if (!slots)
        return 0;
    if (at - slots >= sizeof run_slots) {
        if (at - gates >= PAGE && at - beside >= PAGE)
            return 0;
        pc = at;
    } else if (gate == GATES) {
        pc = gates + RETURN_THUMB;
        stop->registers.status |= THUMB;
    }
    stop->kind = STOP_FETCH;
    stop->address = stop->registers.pc = pc;
    return 1;
}

int gates_passed(u64 pc)
{
    int is_here = pc - (uptr)run_arrive < (uptr)(run_arrived - run_arrive);
    return is_here || (slots && (pc - slots < sizeof run_slots || pc - beside < PAGE));
}
