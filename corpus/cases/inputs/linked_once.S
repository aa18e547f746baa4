/* Before there were section groups, a section whose name begins with `.gnu.linkonce.` was kept once. */
// call: use() = 42u32
#include "code.h"
    .text
    .globl use
    .type use, %function
use:
    GO(shared)
    .section .gnu.linkonce.t.shared, "ax", %progbits
    .globl shared
    .type shared, %function
shared:
    RETURN(42)

//--- again.S
#include "code.h"
    .section .gnu.linkonce.t.shared, "ax", %progbits
    .globl shared
    .type shared, %function
shared:
    RETURN(43)

//--- code.h
#if defined(__aarch64__)
#define RETURN(n) mov w0, n; ret
#else
    .syntax unified
    .arm
#define RETURN(n) mov r0, n; bx lr
#endif
#define GO(f) b f
