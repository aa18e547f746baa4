/* A relocator for the checker to be shown on: a few relocations of AArch64, done right. Others it does not know.
 * SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

struct vector {
    unsigned number;
    int rela;
    uint64_t P, S, T;
    int64_t A;
    uint64_t GOT, G, B, TLS, tp, FUNCDESC;
    size_t size;
};
enum outcome { WRITTEN, OUT_OF_RANGE, MISALIGNED, STATE, NOT_TRIED };

/* By how many bits a branch offset is shifted. */
#ifndef BRANCH_SHIFT
#define BRANCH_SHIFT 2
#endif

enum { ABS64 = 257, ABS32 = 258, PREL64 = 260, PREL32 = 261, ADR_PREL_PG_HI21 = 275, ADD_ABS_LO12_NC = 277, CONDBR19 = 280,
       JUMP26 = 282, CALL26 = 283, LDST64_ABS_LO12_NC = 286 };

static int fits(int64_t x, int64_t low, int64_t high) { return low <= x && x < high; }

static uint32_t load(const unsigned char *p) { return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24; }

static enum outcome store(unsigned char *p, uint64_t value, size_t size) {
    for (size_t i = 0; i < size; i++) p[i] = (unsigned char)(value >> 8 * i);
    return WRITTEN;
}

static enum outcome field(unsigned char *p, uint32_t value, unsigned low, unsigned width) {
    uint32_t mask = (((uint32_t)1 << width) - 1) << low;
    return store(p, (load(p) & ~mask) | (value << low & mask), 4);
}

static enum outcome branch(unsigned char *p, int64_t x, unsigned low, unsigned width) {
    int64_t reach = (int64_t)1 << (width + 1);
    if (!fits(x, -reach, reach)) return OUT_OF_RANGE;
    if (x & 3) return MISALIGNED;
    return field(p, (uint32_t)(x >> BRANCH_SHIFT), low, width);
}

enum outcome relocate(const struct vector *v, unsigned char *place) {
    uint64_t sum = v->S + (uint64_t)v->A;
    int64_t x = (int64_t)sum, distance = (int64_t)(sum - v->P);
    switch (v->number) {
    case ABS64: return store(place, sum, 8);
    case PREL64: return store(place, (uint64_t)distance, 8);
    case ABS32: return fits(x, -(1LL << 31), 1LL << 32) ? store(place, sum, 4) : OUT_OF_RANGE;
    case PREL32: return fits(distance, -(1LL << 31), 1LL << 31) ? store(place, (uint64_t)distance, 4) : OUT_OF_RANGE;
    case ADR_PREL_PG_HI21: {
        int64_t pages = (int64_t)((sum & ~0xfffULL) - (v->P & ~0xfffULL));
        if (!fits(pages, -(1LL << 32), 1LL << 32)) return OUT_OF_RANGE;
        field(place, (uint32_t)(pages >> 12), 29, 2);
        return field(place, (uint32_t)(pages >> 14), 5, 19);
    }
    case ADD_ABS_LO12_NC: return field(place, (uint32_t)sum, 10, 12);
    case LDST64_ABS_LO12_NC: return sum & 7 ? MISALIGNED : field(place, (uint32_t)(sum & 0xfff) >> 3, 10, 12);
    case CONDBR19: return branch(place, distance, 5, 19);
    case JUMP26:
    case CALL26: return branch(place, distance, 0, 26);
    default: return NOT_TRIED;
    }
}
