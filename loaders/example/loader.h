/* An example of a loader: the parts of ELF that it needs, and what its files have in common. MIT OR Apache-2.0. */

#ifndef LOADER_H
#define LOADER_H

#include "linkrig-loader.h"

/* The rig has these, as it has much of a C library; bare metal has no headers of one. */
void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *one, const void *other, size_t size);

#if __SIZEOF_POINTER__ == 8
typedef uint64_t word;
#define SYMBOL(info) ((info) >> 32)
#define TYPE(info) ((info)&0xffffffff)
#define CLASS 2
#else
typedef uint32_t word;
#define SYMBOL(info) ((info) >> 8)
#define TYPE(info) ((info)&0xff)
#define CLASS 1
#endif

struct header {
    unsigned char ident[16];
    uint16_t type, machine;
    uint32_t version;
    word entry, program_headers, section_headers;
    uint32_t flags;
    uint16_t size, program_size, program_count, section_size, section_count, names;
};

struct section {
    uint32_t name, type;
    word flags, address, offset, size;
    uint32_t link, info;
    word align, entry_size;
};

#if __SIZEOF_POINTER__ == 8
struct symbol {
    uint32_t name;
    unsigned char info, other;
    uint16_t section;
    word value, size;
};
#else
struct symbol {
    uint32_t name;
    word value, size;
    unsigned char info, other;
    uint16_t section;
};
#endif

struct relocation {
    word offset, info;
    word addend; /* of RELA only */
};

/* Memory of which nothing is used yet: what is needed behind a section, veneers from below, table entries from above. */
struct space {
    uintptr_t next, end, entries;
};

/* A field to be written. */
struct field {
    unsigned char *place;
    uint32_t type;
    uintptr_t s; /* where the symbol is, with its Thumb bit */
    int64_t addend;
    int has_addend; /* otherwise the field has it */
    int is_function;
    struct space *space;
};

/* Bytes at an aligned place of a space, or 0 where it is full. */
uintptr_t take(struct space *space, size_t size, size_t align);

/* The place of a table entry that holds this value, or 0 where the space is full. */
uintptr_t entry(struct space *space, uintptr_t value);

/* Writes a field: each processor has its own. */
enum lr_status relocate(const struct field *field);

#define MACHINE_ARM 40
#define MACHINE_A64 183
extern const uint16_t machine;

#endif
