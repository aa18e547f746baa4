/* An example of a loader: fields of Thumb code and of data (AAELF32, Relocation). MIT OR Apache-2.0. */

#include "loader.h"

const uint16_t machine = MACHINE_ARM;

static int32_t extend(uint32_t x, int bits) {
    return (int32_t)(x << (32 - bits)) >> (32 - bits);
}

/* The 24 bits of BL, BLX and B.W (encoding T4), as a distance in bytes. */
static int32_t distance_of(const uint16_t half[2]) {
    uint32_t s = half[0] >> 10 & 1, i1 = ~((half[1] >> 13 & 1) ^ s) & 1, i2 = ~((half[1] >> 11 & 1) ^ s) & 1;
    return extend(s << 24 | i1 << 23 | i2 << 22 | (half[0] & 0x3ffu) << 12 | (half[1] & 0x7ffu) << 1, 25);
}

static void put_distance(uint16_t half[2], int32_t x) {
    uint32_t s = (uint32_t)x >> 31, j1 = ((uint32_t)x >> 23 & 1) ^ s ^ 1, j2 = ((uint32_t)x >> 22 & 1) ^ s ^ 1;
    half[0] = (uint16_t)((half[0] & 0xf800) | s << 10 | ((uint32_t)x >> 12 & 0x3ff));
    half[1] = (uint16_t)((half[1] & 0xd000) | j1 << 13 | j2 << 11 | ((uint32_t)x >> 1 & 0x7ff));
}

/* ldr.w pc, [pc, #0] and the address, which says in which state to go on. */
static uintptr_t veneer(struct space *space, uint32_t to) {
    static const uint16_t code[2] = { 0xf8df, 0xf000 };
    uintptr_t at = take(space, 8, 4);
    if (at) {
        memcpy((void *)at, code, 4);
        memcpy((void *)(at + 4), &to, 4);
    }
    return at;
}

static enum lr_status branch(const struct field *field) {
    enum { CALL = 10 };
    uint16_t half[2];
    memcpy(half, field->place, 4);
    int32_t addend = field->has_addend ? (int32_t)field->addend : distance_of(half);
    uint32_t p = (uint32_t)(uintptr_t)field->place, to = (uint32_t)field->s + (uint32_t)addend;
    if (!field->s) { /* an undefined weak function: NOP.W */
        static const uint16_t nop[2] = { 0xf3af, 0x8000 };
        memcpy(field->place, nop, 4);
        return LR_OK;
    }
    int arm = field->is_function && !(field->s & 1);
    int32_t x = (int32_t)((to & ~1u) - p);
    /* BLX goes to A32 code from the place rounded down; B.W cannot. */
    if (arm && field->type == CALL)
        x = (int32_t)((to & ~1u) - (p & ~3u));
    if (x < -(1 << 24) || x >= 1 << 24 || (arm && field->type != CALL)) {
        uintptr_t stub = veneer(field->space, to + 4);
        if (!stub)
            return LR_NO_MEMORY;
        x = (int32_t)(stub - p - 4);
        arm = 0;
    }
    if (field->type == CALL)
        half[1] = (uint16_t)(arm ? half[1] & ~0x1000 : half[1] | 0x1000);
    if (arm && x & 3)
        return LR_MISALIGNED;
    put_distance(half, x);
    memcpy(field->place, half, 4);
    return LR_OK;
}

/* MOVW and MOVT: four pieces of 16 bits. */
static enum lr_status move(const struct field *field, int is_relative, int is_top) {
    uint16_t half[2];
    memcpy(half, field->place, 4);
    uint32_t imm = (half[0] & 0xfu) << 12 | (half[0] & 0x400u) << 1 | (half[1] & 0x7000u) >> 4 | (half[1] & 0xffu);
    uint32_t x = (uint32_t)field->s + (uint32_t)(field->has_addend ? (int32_t)field->addend : extend(imm, 16));
    if (is_relative)
        x -= (uint32_t)(uintptr_t)field->place;
    if (is_top)
        x >>= 16;
    half[0] = (uint16_t)((half[0] & ~0x40f) | (x >> 12 & 0xf) | (x >> 1 & 0x400));
    half[1] = (uint16_t)((half[1] & 0x8f00) | (x << 4 & 0x7000) | (x & 0xff));
    memcpy(field->place, half, 4);
    return LR_OK;
}

/* Short branches (T1, T2), which have no veneers here. */
static enum lr_status short_branch(const struct field *field, int bits) {
    uint16_t half;
    memcpy(&half, field->place, 2);
    int32_t addend = field->has_addend ? (int32_t)field->addend : extend((uint32_t)half << 1, bits + 1);
    int32_t x = (int32_t)(((uint32_t)field->s & ~1u) + (uint32_t)addend - (uint32_t)(uintptr_t)field->place);
    if (!field->s)
        return LR_UNSUPPORTED;
    if (extend((uint32_t)x, bits + 1) != x)
        return LR_OUT_OF_RANGE;
    half = (uint16_t)((half & ~((1 << bits) - 1)) | (x >> 1 & ((1 << bits) - 1)));
    memcpy(field->place, &half, 2);
    return LR_OK;
}

enum lr_status relocate(const struct field *field) {
    unsigned char *place = field->place;
    uint32_t old = 0, s = (uint32_t)field->s, p = (uint32_t)(uintptr_t)place;
    switch (field->type) {
    case 0: case 40: return LR_OK;                   /* NONE, V4BX */
    case 10: case 30: return branch(field);          /* THM_CALL, THM_JUMP24 */
    case 47: return move(field, 0, 0);               /* THM_MOVW_ABS_NC */
    case 48: return move(field, 0, 1);               /* THM_MOVT_ABS */
    case 49: return move(field, 1, 0);               /* THM_MOVW_PREL_NC */
    case 50: return move(field, 1, 1);               /* THM_MOVT_PREL */
    case 102: return short_branch(field, 11);        /* THM_JUMP11 */
    case 103: return short_branch(field, 8);         /* THM_JUMP8 */
    case 2: case 3: case 38: case 42: case 96: break; /* data */
    default: return LR_UNSUPPORTED;
    }
    memcpy(&old, place, 4);
    uint32_t a = field->has_addend ? (uint32_t)field->addend : old;
    if (field->type == 2 || field->type == 38)       /* ABS32, TARGET1 */
        old = s + a;
    else if (field->type == 3)                       /* REL32 */
        old = s + a - p;
    else if (field->type == 42) {                    /* PREL31 */
        uint32_t x = s + (uint32_t)extend(a, 31) - p;
        if (extend(x, 31) != (int32_t)x)
            return LR_OUT_OF_RANGE;
        old = (old & 0x80000000) | (x & 0x7fffffff);
    } else {                                         /* GOT_PREL */
        uintptr_t slot = entry(field->space, s);
        if (!slot)
            return LR_NO_MEMORY;
        old = (uint32_t)slot + a - p;
    }
    memcpy(place, &old, 4);
    return LR_OK;
}
