/* What a loader has to do with Linkrig's rig (docs/loaders.md). MIT OR Apache-2.0: copy it. */

#ifndef LINKRIG_LOADER_H
#define LINKRIG_LOADER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What memory is for, behind the load. While objects are loaded, all of it can be written and none of it executed. */
enum lr_kind {
    LR_CODE = 1,     /* read and executed */
    LR_CONSTANT = 2, /* read */
    LR_DATA = 3,     /* read and written */
};

/* The section of a region for common symbols (SHN_COMMON). */
#define LR_COMMON 0xfff2u

/* Memory that the layout has chosen. It is filled with 0xa5. */
struct lr_region {
    void *start;
    size_t size;      /* bytes: the section, and room behind it for veneers and table entries */
    uint32_t kind;    /* LR_CODE, LR_CONSTANT, LR_DATA */
    uint32_t section; /* the index of the section header that it is for; 0: any section of this kind */
};

struct lr_memory {
    const struct lr_region *regions;
    size_t count;
};

/* Asks where a symbol is that the object does not define: its address, with the Thumb bit of a Thumb function. The result is 2
   where it is a function, 1 where it is anything else, and 0 where nobody has it. */
typedef int lr_resolve(const char *name, uintptr_t *address);

/* What lr_load returns. A loader with numbers of its own says in its description what they mean. */
enum lr_status {
    LR_OK = 0,
    LR_OUT_OF_RANGE = 1, /* a value does not fit its field */
    LR_MISALIGNED = 2,   /* a value is not as aligned as its field wants it */
    LR_UNDEFINED = 3,    /* nobody defines a symbol */
    LR_DUPLICATE = 4,    /* a symbol is defined twice */
    LR_INCOMPATIBLE = 5, /* the object is damaged, or for something else */
    LR_UNSUPPORTED = 6,  /* the loader does not do this */
    LR_NO_MEMORY = 7,    /* the regions are too small, or tables of the loader are */
    LR_OTHER = 8,
};

/* Yours: loads one object into this memory. It is called for each object of a case, in the same life of the machine. */
int lr_load(const void *object, size_t size, const struct lr_memory *memory, lr_resolve *resolve);

/* The rig's, to be called from lr_load. */

/* Section `section` is at `start` now. What was not said of is not loaded. */
void lr_section(uint32_t section, const void *start);

/* What others are told of a global symbol. Needed for common symbols only; the rest is compared with the ABI. */
void lr_symbol(const char *name, uintptr_t address);

/* The instruction cache is to see what was written here. */
void lr_sync(const void *start, size_t size);

/* The error that lr_load is about to return is about the field at this offset of this section. */
void lr_at(uint32_t section, size_t offset);

#ifdef __cplusplus
}
#endif

#endif
