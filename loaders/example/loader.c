/* An example of a loader: relocatable objects into memory that it is given. MIT OR Apache-2.0. */

#include "loader.h"

enum { MOST = 1024, MOST_COMMON = 4096 };
enum { RELA = 4, NOBITS = 8, REL = 9, SYMTAB = 2, EXIDX = 0x70000001, CREL = 0x40000014 };
enum { WRITE = 1, ALLOC = 2, EXECUTE = 4, TLS = 0x400 };
enum { UNDEFINED = 0, ABSOLUTE = 0xfff1, COMMON = 0xfff2, WEAK = 2, FUNCTION = 2, IFUNC = 10 };

static struct space spaces[MOST];
static uintptr_t placed[MOST];        /* where each section is */
static struct space *space_of[MOST];  /* and in which space */
static uintptr_t commons[MOST_COMMON]; /* where each common symbol is */

uintptr_t take(struct space *space, size_t size, size_t align) {
    uintptr_t at = (space->next + align - 1) & ~(uintptr_t)(align - 1);
    if (at < space->next || at > space->entries || size > space->entries - at)
        return 0;
    space->next = at + size;
    return at;
}

uintptr_t entry(struct space *space, uintptr_t value) {
    uintptr_t end = space->end & ~(uintptr_t)(sizeof value - 1);
    for (uintptr_t at = space->entries; at < end; at += sizeof value)
        if (*(uintptr_t *)at == value)
            return at;
    uintptr_t above = space->entries < end ? space->entries : end;
    if (above < space->next || above - space->next < sizeof value)
        return 0;
    space->entries = above - sizeof value;
    *(uintptr_t *)space->entries = value;
    return space->entries;
}

/* Takes memory for a section: its own region, or one of its kind. */
static uintptr_t allocate(const struct lr_memory *memory, uint32_t section, uint32_t kind, size_t size, size_t align) {
    for (size_t i = 0; i < memory->count; i++) {
        const struct lr_region *region = &memory->regions[i];
        if (region->section != section && (region->section != 0 || region->kind != kind))
            continue;
        uintptr_t at = take(&spaces[i], size, align ? align : 1);
        if (at) {
            if (section < MOST)
                space_of[section] = &spaces[i];
            return at;
        }
    }
    return 0;
}

static const unsigned char *file;
static const struct section *sections;
static uint32_t section_count;
static const struct symbol *symbols;
static const char *names;
static size_t symbol_count;

/* Where a symbol is, and whether it is a function. */
static enum lr_status find(size_t index, lr_resolve *resolve, uintptr_t *address, int *is_function) {
    const struct symbol *symbol = &symbols[index];
    if (index >= symbol_count)
        return LR_INCOMPATIBLE;
    *address = 0;
    *is_function = (symbol->info & 15) == FUNCTION;
    if (index == 0)
        return LR_OK;
    if ((symbol->info & 15) == IFUNC)
        return LR_UNSUPPORTED;
    if (symbol->section == ABSOLUTE)
        *address = symbol->value;
    else if (symbol->section == COMMON)
        *address = commons[index];
    else if (symbol->section != UNDEFINED) {
        if (symbol->section >= section_count || !placed[symbol->section])
            return LR_UNSUPPORTED;
        *address = placed[symbol->section] + symbol->value;
    } else {
        int found = resolve(names + symbol->name, address);
        *is_function = found == 2;
        if (!found && symbol->info >> 4 != WEAK)
            return LR_UNDEFINED;
    }
    return LR_OK;
}

static enum lr_status place(const struct lr_memory *memory) {
    for (uint32_t i = 1; i < section_count; i++) {
        const struct section *section = &sections[i];
        placed[i] = 0;
        if (section->type == CREL)
            return LR_UNSUPPORTED;
        if (!(section->flags & ALLOC) || section->size == 0 || section->type == EXIDX)
            continue;
        if (section->flags & TLS)
            return LR_UNSUPPORTED;
        uint32_t kind = section->flags & EXECUTE ? LR_CODE : section->flags & WRITE ? LR_DATA : LR_CONSTANT;
        placed[i] = allocate(memory, i, kind, section->size, section->align);
        if (!placed[i])
            return LR_NO_MEMORY;
        if (section->type == NOBITS)
            memset((void *)placed[i], 0, section->size);
        else
            memcpy((void *)placed[i], file + section->offset, section->size);
        lr_section(i, (void *)placed[i]);
    }
    for (size_t i = 1; i < symbol_count; i++) {
        const struct symbol *symbol = &symbols[i];
        if (symbol->section != COMMON)
            continue;
        commons[i] = allocate(memory, LR_COMMON, LR_DATA, symbol->size, symbol->value);
        if (!commons[i])
            return LR_NO_MEMORY;
        memset((void *)commons[i], 0, symbol->size);
    }
    return LR_OK;
}

static enum lr_status fix(const struct section *table, lr_resolve *resolve) {
    unsigned char *start = (unsigned char *)placed[table->info];
    for (size_t at = 0; at < table->size; at += table->entry_size) {
        const struct relocation *relocation = (const void *)(file + table->offset + at);
        struct field field = { start + relocation->offset, TYPE(relocation->info), 0, 0, table->type == RELA, 0,
                               space_of[table->info] };
        size_t index = SYMBOL(relocation->info);
        enum lr_status status = find(index, resolve, &field.s, &field.is_function);
        if (status == LR_OK) {
            if (field.has_addend)
                field.addend = sizeof(word) == 8 ? (int64_t)relocation->addend : (int32_t)relocation->addend;
            status = relocate(&field);
        }
        if (status != LR_OK) {
            lr_at(table->info, relocation->offset);
            return status;
        }
    }
    return LR_OK;
}

int lr_load(const void *object, size_t size, const struct lr_memory *memory, lr_resolve *resolve) {
    const struct header *header = object;
    if (size < sizeof *header || memcmp(header->ident, "\177ELF", 4) || header->ident[4] != CLASS || header->type != 1 ||
        header->machine != machine)
        return LR_INCOMPATIBLE;
    if (header->section_count == 0 || header->section_count > MOST || memory->count > MOST)
        return LR_NO_MEMORY;
    file = object;
    sections = (const void *)(file + header->section_headers);
    section_count = header->section_count;
    for (size_t i = 0; i < memory->count; i++) {
        uintptr_t start = (uintptr_t)memory->regions[i].start;
        uintptr_t end = start + memory->regions[i].size;
        spaces[i] = (struct space){ start, end, end };
    }
    symbol_count = 0;
    for (uint32_t i = 1; i < section_count; i++)
        if (sections[i].type == SYMTAB) {
            symbols = (const void *)(file + sections[i].offset);
            symbol_count = sections[i].size / sizeof *symbols;
            names = (const char *)file + sections[sections[i].link].offset;
        }
    if (symbol_count > MOST_COMMON)
        return LR_NO_MEMORY;
    enum lr_status status = place(memory);
    for (uint32_t i = 1; i < section_count && status == LR_OK; i++)
        if ((sections[i].type == REL || sections[i].type == RELA) && sections[i].info < section_count &&
            placed[sections[i].info])
            status = fix(&sections[i], resolve);
    for (uint32_t i = 1; i < section_count && status == LR_OK; i++)
        if (placed[i] && sections[i].flags & EXECUTE)
            lr_sync((void *)placed[i], space_of[i]->end - placed[i]);
    for (size_t i = 1; i < symbol_count && status == LR_OK; i++) {
        uintptr_t address;
        int is_function;
        if (symbols[i].info >> 4 != 0 && symbols[i].section != UNDEFINED && find(i, resolve, &address, &is_function) == LR_OK)
            lr_symbol(names + symbols[i].name, address);
    }
    return status;
}
