#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
struct entry { struct entry *next, *prev; const char *file; uint64_t size; };
struct { uint32_t version, action; struct entry *relevant, *first; } __jit_debug_descriptor = {1, 0, 0, 0};
__attribute__((noinline)) void __jit_debug_register_code(void) { __asm__ volatile(""); }
__asm__(".section .data\n.balign 8\n.globl object, object_end\nobject: .incbin \"late.o\"\nobject_end:\n.text\n");
extern char object[], object_end[];
int main(void) {
    ElfW(Ehdr) *header = (void *)object;
    ElfW(Shdr) *sections = (void *)(object + header->e_shoff);
    char *names = object + sections[header->e_shstrndx].sh_offset;
    char *code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int n = 0; n < header->e_shnum; n++)
        if (!strcmp(names + sections[n].sh_name, ".text")) {
            memcpy(code, object + sections[n].sh_offset, sections[n].sh_size);
            sections[n].sh_addr = (uintptr_t)code;
        }
    __builtin___clear_cache(code, code + 4096);
    static struct entry entry;
    entry.file = object;
    entry.size = object_end - object;
    __jit_debug_descriptor.relevant = __jit_debug_descriptor.first = &entry;
    __jit_debug_descriptor.action = 1;
    __jit_debug_register_code();
    int (*late)(int) = (int (*)(int))(code + THUMB);
    printf("%d\n", late(20));
    return 0;
}
