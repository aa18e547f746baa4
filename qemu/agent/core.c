/* The protocol: SimpleRemoteEPC as an executor, and the batch. */
#include "agent.h"

/* Messages. */
enum { SETUP, HANGUP, RESULT, CALL };
#define HEADER 32

/* Functions that the host may call. Their addresses are no addresses: they are looked up here. */
enum { TAG_BATCH = 0x4c520010, TAG_BECOME = 0x4c520020, TAG_USER = 0x4c520030 };
static const struct {
    const char *name;
    u64 address;
} symbols[] = {
    {"linkrig_batch", TAG_BATCH},
    {"linkrig_become", TAG_BECOME},
    {"linkrig_user", TAG_USER},
};

/* Operations of a batch: a word that says which, a word of flags, and arguments of 64 bits. Bytes are padded to 8. */
enum { OP_RESET = 1, OP_MAP, OP_PROTECT, OP_UNMAP, OP_WRITE, OP_READ, OP_RUN, OP_GATES };

static u32 get32(const u8 *at)
{
    return at[0] | at[1] << 8 | at[2] << 16 | (u32)at[3] << 24;
}

static u64 get64(const u8 *at)
{
    return get32(at) | (u64)get32(at + 4) << 32;
}

static u8 *put32(u8 *at, u32 value)
{
    for (int i = 0; i < 4; i++)
        at[i] = value >> 8 * i;
    return at + 4;
}

static u8 *put64(u8 *at, u64 value)
{
    return put32(put32(at, value), value >> 32);
}

static u8 *put_string(u8 *at, const char *text)
{
    u64 length = 0;
    while (text[length])
        length++;
    at = put64(at, length);
    memcpy(at, text, length);
    return at + length;
}

static void send(u32 opcode, u64 number, u64 payload)
{
    u64 room;
    u8 *message = link_outbox(&room);
    put64(put64(put64(put64(message, HEADER + payload), opcode), number), 0);
    link_send(HEADER + payload);
}

static void send_setup(void)
{
    u64 room;
    u8 *start = link_outbox(&room) + HEADER, *at = start;
    at = put_string(at, platform_triple);
    at = put64(at, PAGE);
    at = put64(at, 0); /* no bootstrap values */
    at = put64(at, ARRAY(symbols));
    for (u32 i = 0; i < ARRAY(symbols); i++)
        at = put64(put_string(at, symbols[i].name), symbols[i].address);
    send(SETUP, 0, at - start);
}

/* The reply to a batch: what failed, the number of the operation that did, the address that was in the way; then what the
   operations gave, in their order. */
static u64 batch(const u8 *at, u64 size, u8 *reply, u64 room)
{
    const u8 *end = at + size;
    u8 *out = reply + 16, *out_end = reply + room;
    u32 failure = OK, number = 0;
    u64 bad = 0;
    int wrote = 0;
    for (; at < end; number++) {
        u64 left = end - at;
        if (left < 8) {
            failure = MALFORMED;
            break;
        }
        u32 op = get32(at), flags = get32(at + 4);
        u32 words = op > OP_RESET && op <= OP_GATES && op != OP_RUN ? 2 : 0;
        if (left < 8 + 8 * words) {
            failure = MALFORMED;
            break;
        }
        u64 address = words ? get64(at + 8) : 0, length = words ? get64(at + 16) : 0;
        u64 padded = (length + 7) & ~7ull;
        at += 8 + 8 * words;
        left = end - at;
        bad = address;
        switch (op) {
        case OP_RESET:
            platform_reset();
            break;
        case OP_MAP:
            failure = platform_map(address, length, flags);
            break;
        case OP_PROTECT:
            failure = platform_protect(address, length, flags);
            break;
        case OP_UNMAP:
            failure = platform_unmap(address, length);
            break;
        case OP_WRITE:
            if (padded < length || left < padded) {
                failure = MALFORMED;
                break;
            }
            failure = platform_write(address, at, length, &bad);
            wrote = 1;
            at += padded;
            break;
        case OP_READ:
            if (padded < length || (u64)(out_end - out) < padded) {
                failure = MALFORMED;
                break;
            }
            failure = platform_read(address, out, length, &bad);
            out += padded;
            break;
        case OP_RUN:
            if (left < sizeof(struct registers) || (u64)(out_end - out) < sizeof(struct stop)) {
                failure = MALFORMED;
                break;
            }
            if (wrote)
                platform_synchronize();
            wrote = 0;
            /* Both sides are little-endian, and everything is aligned to 8. */
            platform_run((const struct registers *)at, flags, (struct stop *)out);
            at += sizeof(struct registers);
            out += sizeof(struct stop);
            break;
        case OP_GATES:
            platform_gates(address, length);
            break;
        default:
            failure = MALFORMED;
        }
        if (failure)
            break;
    }
    if (wrote)
        platform_synchronize();
    put64(put32(put32(reply, failure), number), bad);
    return out - reply;
}

void serve(void)
{
    do
        send_setup();
    while (link_unheard());
    for (;;) {
        u64 size, room;
        const u8 *message = link_receive(&size);
        u8 *reply = link_outbox(&room) + HEADER;
        room -= HEADER;
        if (size < HEADER || get64(message) != size)
            continue;
        u64 opcode = get64(message + 8), number = get64(message + 16), tag = get64(message + 24);
        if (opcode != CALL)
            continue;
        const u8 *arguments = message + HEADER;
        size -= HEADER;
        u64 length = 0; /* an empty result: what is not known */
        if (tag == TAG_BATCH)
            length = batch(arguments, size, reply, room);
        else if (tag == TAG_BECOME && size >= 4)
            length = put32(reply, platform_become(get32(arguments))) - reply;
        else if (tag == TAG_USER)
            length = platform_user(arguments, size, reply, room);
        send(RESULT, number, length);
    }
}

void *memcpy(void *to, const void *from, uptr size)
{
    u8 *t = to;
    const u8 *f = from;
    if (((uptr)t | (uptr)f) % sizeof(uptr) == 0)
        for (; size >= 8 * sizeof(uptr); size -= 8 * sizeof(uptr)) {
            uptr *tw = (uptr *)t;
            const uptr *fw = (const uptr *)f;
            for (int i = 0; i < 8; i++)
                tw[i] = fw[i];
            t += 8 * sizeof(uptr);
            f += 8 * sizeof(uptr);
        }
    while (size--)
        *t++ = *f++;
    return to;
}

void *memset(void *to, int byte, uptr size)
{
    u8 *t = to;
    if ((uptr)t % sizeof(uptr) == 0) {
        uptr word = (uptr)-1 / 255 * (u8)byte;
        for (; size >= 8 * sizeof(uptr); size -= 8 * sizeof(uptr)) {
            uptr *tw = (uptr *)t;
            for (int i = 0; i < 8; i++)
                tw[i] = word;
            t += 8 * sizeof(uptr);
        }
    }
    while (size--)
        *t++ = byte;
    return to;
}
