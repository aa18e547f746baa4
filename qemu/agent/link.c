/* Messages between host and guest.

   Shared: a page of control words, then an inbox (three quarters of the area) and an outbox. A message is put into its box,
   its size and a new number into the control page. Whoever waits looks at the number for a while; before it goes to sleep it says
   so, and then it is woken by one byte through the doorbell. A byte without a new number is noise.

   Stream: a frame is a mark, the size, a checksum and the message. What is not a frame is noise. */
#include "agent.h"

#define RING 0x07
#define CONTROL_MAGIC 0x314b524cu /* "LRK1" */

struct control {
    u32 magic;
    u32 to_guest; /* number of the last message that the host wrote */
    u64 to_guest_size;
    u32 to_host;
    u32 host_asleep;
    u64 to_host_size;
    u32 guest_asleep;
    u32 looks; /* how often the guest looks at the number before it sleeps: the host knows whether there is a processor to spare */
};

static volatile struct control *control;
static u8 *inbox, *outbox;
static u64 inbox_size, outbox_size;
static u32 seen, sent;

static void barrier(void)
{
#if __ARM_ARCH >= 7 || __ARM_ARCH_PROFILE == 'M'
    __asm__ volatile("dmb sy" ::: "memory");
#else
    platform_barrier();
#endif
}

static void boxes(u8 *area, u64 size)
{
    inbox = area;
    inbox_size = size / 4 * 3;
    outbox = area + inbox_size;
    outbox_size = size - inbox_size;
}

void link_shared(void *area, u64 size)
{
    control = area;
    boxes((u8 *)area + PAGE, size - PAGE);
    seen = control->to_guest;
    sent = control->to_host;
    barrier();
    control->magic = CONTROL_MAGIC;
}

void link_stream(void *area, u64 size)
{
    control = 0;
    boxes(area, size);
}

u8 *link_outbox(u64 *room)
{
    *room = outbox_size;
    return outbox;
}

static const u8 mark[4] = {0xa5, 'L', 'R', 0x5a};

static u32 checksum(const u8 *bytes, u64 size)
{
    u32 a = 1, b = 0; /* Adler-32 */
    for (u64 i = 0; i < size; i++) {
        a += bytes[i];
        a -= a >= 65521 ? 65521 : 0;
        b += a;
        b -= b >= 65521 ? 65521 : 0;
    }
    return b << 16 | a;
}

static u32 wait_word(void)
{
    u32 word = 0;
    for (int i = 0; i < 4; i++)
        word |= (u32)doorbell_wait() << 8 * i;
    return word;
}

void link_send(u64 size)
{
    if (control) {
        control->to_host_size = size;
        barrier();
        control->to_host = ++sent;
        barrier();
        if (control->host_asleep)
            doorbell_ring(&(u8){RING}, 1);
        return;
    }
    /* Both sides are little-endian. */
    struct {
        u8 mark[4];
        u32 size, sum;
    } head = {{0xa5, 'L', 'R', 0x5a}, size, checksum(outbox, size)};
    doorbell_ring((const u8 *)&head, sizeof head);
    doorbell_ring(outbox, size);
}

int link_unheard(void)
{
    return !control && doorbell_idle();
}

const u8 *link_receive(u64 *size)
{
    if (control) {
        for (u32 left = control->looks; control->to_guest == seen && left; left--)
            ;
        control->guest_asleep = 1;
        barrier();
        while (control->to_guest == seen)
            doorbell_wait();
        control->guest_asleep = 0;
        barrier();
        seen = control->to_guest;
        *size = control->to_guest_size < inbox_size ? control->to_guest_size : inbox_size;
        return inbox;
    }
    for (;;) {
        u32 matched = 0;
        while (matched < sizeof mark) {
            u8 byte = doorbell_wait();
            matched = byte == mark[matched] ? matched + 1 : byte == mark[0];
        }
        u32 length = wait_word(), sum = wait_word();
        if (length > inbox_size)
            continue;
        for (u32 i = 0; i < length; i++)
            inbox[i] = doorbell_wait();
        if (checksum(inbox, length) == sum) {
            *size = length;
            return inbox;
        }
    }
}
