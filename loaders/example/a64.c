/* An example of a loader: fields of AArch64 (AAELF64, Relocation). MIT OR Apache-2.0. */

#include "loader.h"

const uint16_t machine = MACHINE_A64;

static int fits(int64_t x, int bits) {
    return x >= -((int64_t)1 << (bits - 1)) && x < (int64_t)1 << (bits - 1);
}

/* Puts bits of a value into an instruction. */
static void put(unsigned char *place, uint32_t value, int shift, int bits) {
    uint32_t mask = ((1u << bits) - 1) << shift, old;
    memcpy(&old, place, 4);
    old = (old & ~mask) | (value << shift & mask);
    memcpy(place, &old, 4);
}

static enum lr_status data(unsigned char *place, int64_t x, int bytes) {
    /* Either sign: -2^(n-1) <= X < 2^n. */
    if (bytes < 8 && (x < -((int64_t)1 << (8 * bytes - 1)) || x >= (int64_t)1 << 8 * bytes))
        return LR_OUT_OF_RANGE;
    memcpy(place, &x, bytes);
    return LR_OK;
}

static enum lr_status relative(unsigned char *place, int64_t x, int bytes) {
    return bytes == 8 || fits(x, 8 * bytes) ? data(place, x, bytes) : LR_OUT_OF_RANGE;
}

/* A branch of so many bits, counted in instructions. */
static enum lr_status branch(unsigned char *place, int64_t x, int shift, int bits) {
    if (x & 3)
        return LR_MISALIGNED;
    if (!fits(x, bits + 2))
        return LR_OUT_OF_RANGE;
    put(place, (uint32_t)(x >> 2), shift, bits);
    return LR_OK;
}

/* ldr x16, .+8; br x16; and the address. */
static uintptr_t veneer(struct space *space, uint64_t to) {
    static const uint32_t code[2] = { 0x58000050, 0xd61f0200 };
    uintptr_t at = take(space, 16, 8);
    if (at) {
        memcpy((void *)at, code, 8);
        memcpy((void *)(at + 8), &to, 8);
    }
    return at;
}

static enum lr_status address(unsigned char *place, int64_t x, int shift, int bits) {
    if (!fits(x, bits))
        return LR_OUT_OF_RANGE;
    x >>= shift;
    put(place, (uint32_t)x & 3, 29, 2);
    put(place, (uint32_t)(x >> 2), 5, 19);
    return LR_OK;
}

/* The lower 12 bits of an address, in units of what is loaded. */
static enum lr_status low(unsigned char *place, uint64_t x, int scale) {
    x &= 0xfff;
    if (x & ((1u << scale) - 1))
        return LR_MISALIGNED;
    put(place, (uint32_t)(x >> scale), 10, 12);
    return LR_OK;
}

static uint64_t page(uint64_t x) {
    return x & ~(uint64_t)0xfff;
}

enum lr_status relocate(const struct field *field) {
    unsigned char *place = field->place;
    uint64_t p = (uintptr_t)place, x = field->s + field->addend;
    int64_t distance = (int64_t)(x - p), pages = (int64_t)(page(x) - page(p));
    switch (field->type) {
    case 0: case 256: return LR_OK;
    case 257: return data(place, (int64_t)x, 8);                 /* ABS64 */
    case 258: return data(place, (int64_t)x, 4);                 /* ABS32 */
    case 259: return data(place, (int64_t)x, 2);                 /* ABS16 */
    case 260: return relative(place, distance, 8);               /* PREL64 */
    case 261: return relative(place, distance, 4);               /* PREL32 */
    case 314:                                                    /* PLT32, which may want a veneer */
        return field->s && fits(distance, 32) ? relative(place, distance, 4) : LR_UNSUPPORTED;
    case 262: return relative(place, distance, 2);               /* PREL16 */
    case 263: case 265: case 267:                                /* MOVW_UABS_G0, G1, G2 */
        if (x >> (8 * (field->type - 261)))
            return LR_OUT_OF_RANGE;
        /* fall through */
    case 264: case 266: case 268:                                /* and without a check */
        put(place, (uint32_t)(x >> 16 * ((field->type - 263) / 2)), 5, 16);
        return LR_OK;
    case 269: put(place, (uint32_t)(x >> 48), 5, 16); return LR_OK; /* G3 */
    case 273: return branch(place, distance, 5, 19);             /* LD_PREL_LO19 */
    case 274: return address(place, distance, 0, 21);            /* ADR_PREL_LO21 */
    case 275: return address(place, pages, 12, 33);              /* ADR_PREL_PG_HI21 */
    case 276:                                                    /* and without a check */
        put(place, (uint32_t)(pages >> 12) & 3, 29, 2);
        put(place, (uint32_t)(pages >> 14), 5, 19);
        return LR_OK;
    case 277: case 278: return low(place, x, 0);                 /* ADD_ABS_LO12, LDST8 */
    case 284: return low(place, x, 1);                           /* LDST16 */
    case 285: return low(place, x, 2);                           /* LDST32 */
    case 286: return low(place, x, 3);                           /* LDST64 */
    case 299: return low(place, x, 4);                           /* LDST128 */
    case 279: return field->s ? branch(place, distance, 5, 14) : LR_UNSUPPORTED; /* TSTBR14 */
    case 280: return field->s ? branch(place, distance, 5, 19) : LR_UNSUPPORTED; /* CONDBR19 */
    case 282: case 283:                                          /* JUMP26, CALL26 */
        if (!field->s) /* an undefined weak function: the next instruction */
            distance = 4;
        if (!fits(distance, 28)) {
            uintptr_t stub = veneer(field->space, x);
            if (!stub)
                return LR_NO_MEMORY;
            distance = (int64_t)(stub - p);
        }
        return branch(place, distance, 0, 26);
    case 311: case 312: {                                        /* ADR_GOT_PAGE, LD64_GOT_LO12_NC */
        uintptr_t slot = entry(field->space, x);
        if (!slot)
            return LR_NO_MEMORY;
        return field->type == 312 ? low(place, slot, 3) : address(place, (int64_t)(page(slot) - page(p)), 12, 33);
    }
    default: return LR_UNSUPPORTED;
    }
}
