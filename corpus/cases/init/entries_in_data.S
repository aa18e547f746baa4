/* Entries of the array written by hand: numbered sections go before the plain one, and are sorted as numbers. */
// arch: -aarch64_ilp32
// call: count() = 3i32
// call: entry(0i32) = &second
// call: entry(1i32) = &third
// call: entry(2i32) = &first
#if defined(__aarch64__)
#define ENTRY .xword
#else
#define ENTRY .word
    .syntax unified
    .arm
#endif
    .section .init_array, "aw", %init_array
    ENTRY first
    .section .init_array.01000, "aw", %init_array
    ENTRY third
    .section .init_array.00200, "aw", %init_array
    ENTRY second
    .text
    .globl first, second, third
    .type first, %function
    .type second, %function
    .type third, %function
#if defined(__aarch64__)
first: ret
second: ret
third: ret
#else
first: bx lr
second: bx lr
third: bx lr
#endif

//--- walk.c
#include <stdint.h>
extern void *__init_array_start[], *__init_array_end[];
int count(void) { return (int)(((uintptr_t)__init_array_end - (uintptr_t)__init_array_start) / sizeof(void *)); }
void *entry(int i) { return __init_array_start[i]; }
