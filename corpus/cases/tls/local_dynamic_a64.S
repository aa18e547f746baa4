/* The local-dynamic model as no compiler here writes it: the module's entry by page, by offset and by literal, and the offset
   of a variable in its block in moves, additions and loads of every size, checked and not. */
// arch: aarch64 -aarch64_ilp32
// build: clang
// layout: near
// call: by_page() = 0x1122334455667788u64
// call: by_offset() = 0x1122334455667788u64
// call: module() = 1i64
// call: moves_2() = 0x1122334455667788u64
// call: move_0() = 0x1122334455667788u64
// call: add_high() = 0x1122334455667788u64
// call: add_low() = 0x1122334455667788u64
// call(little): load_8() = 0x88u32
// call(big): load_8() = 0x11u32
// call(little): load_16() = 0x7788u32
// call(big): load_16() = 0x1122u32
// call(little): load_32() = 0x55667788u32
// call(big): load_32() = 0x11223344u32
// call: load_64() = 0x1122334455667788u64
// call(little): load_128() = 0x1122334455667788u64
// call(big): load_128() = 0x99u64
// call(little): load_128_unchecked() = 0x1122334455667788u64
// call(big): load_128_unchecked() = 0x99u64
// call(little): exec_128() = 0x1122334455667788u64
// call(big): exec_128() = 0x99u64
// call(little): exec_128_unchecked() = 0x1122334455667788u64
// call(big): exec_128_unchecked() = 0x99u64
// covers: R_AARCH64_TLSLD_ADR_PAGE21 R_AARCH64_TLSLD_ADD_LO12_NC R_AARCH64_TLSLD_MOVW_G1 R_AARCH64_TLSLD_MOVW_G0_NC
// covers: R_AARCH64_TLSLD_LD_PREL19 R_AARCH64_TLSLD_MOVW_DTPREL_G2 R_AARCH64_TLSLD_MOVW_DTPREL_G1_NC R_AARCH64_TLSLD_MOVW_DTPREL_G0
// covers: R_AARCH64_TLSLD_ADD_DTPREL_LO12 R_AARCH64_TLSLD_ADD_DTPREL_LO12_NC R_AARCH64_TLSLD_LDST8_DTPREL_LO12
// covers: R_AARCH64_TLSLD_LDST16_DTPREL_LO12 R_AARCH64_TLSLD_LDST32_DTPREL_LO12 R_AARCH64_TLSLD_LDST64_DTPREL_LO12
// covers: R_AARCH64_TLSLD_LDST128_DTPREL_LO12 R_AARCH64_TLSLD_LDST128_DTPREL_LO12_NC
// covers: R_AARCH64_TLSLE_LDST128_TPREL_LO12 R_AARCH64_TLSLE_LDST128_TPREL_LO12_NC
    .macro function name
    .globl \name
    .type \name, %function
\name:
    .endm
    .macro at number, instruction:vararg
    .reloc ., R_AARCH64_\number, value
    \instruction
    .endm
    .macro done
    ldp  x29, x30, [sp], #16
    ret
    .endm
    .text
block:                           // the module's block, in x0
    stp  x29, x30, [sp, #-16]!
    at TLSLD_ADR_PAGE21, adrp x0, #0
    at TLSLD_ADD_LO12_NC, add x0, x0, #0
    bl   __tls_get_addr
    done
function by_page
    stp  x29, x30, [sp, #-16]!
    bl   block
    at TLSLD_ADD_DTPREL_LO12, add x0, x0, #0
    ldr  x0, [x0]
    done
function by_offset
    stp  x29, x30, [sp, #-16]!
    adrp x8, _GLOBAL_OFFSET_TABLE_
    add  x8, x8, :lo12:_GLOBAL_OFFSET_TABLE_
    at TLSLD_MOVW_G1, movz x0, #0, lsl #16
    at TLSLD_MOVW_G0_NC, movk x0, #0
    add  x0, x0, x8
    bl   __tls_get_addr
    at TLSLD_ADD_DTPREL_LO12, add x0, x0, #0
    ldr  x0, [x0]
    done
function module                  // the first word of the entry
    at TLSLD_LD_PREL19, ldr x0, #0
    ret
function moves_2
    stp  x29, x30, [sp, #-16]!
    bl   block
    at TLSLD_MOVW_DTPREL_G2, movz x1, #0, lsl #32
    at TLSLD_MOVW_DTPREL_G1_NC, movk x1, #0, lsl #16
    at TLSLD_MOVW_DTPREL_G0_NC, movk x1, #0
    ldr  x0, [x0, x1]
    done
function move_0
    stp  x29, x30, [sp, #-16]!
    bl   block
    at TLSLD_MOVW_DTPREL_G0, movz x1, #0
    ldr  x0, [x0, x1]
    done
function add_high
    stp  x29, x30, [sp, #-16]!
    bl   block
    at TLSLD_ADD_DTPREL_HI12, add x0, x0, #0, lsl #12
    at TLSLD_ADD_DTPREL_LO12_NC, add x0, x0, #0
    ldr  x0, [x0]
    done
function add_low
    stp  x29, x30, [sp, #-16]!
    bl   block
    at TLSLD_ADD_DTPREL_LO12, add x0, x0, #0
    ldr  x0, [x0]
    done
    .macro load name, number, instruction:vararg
    function \name
    stp  x29, x30, [sp, #-16]!
    bl   block
    at \number, \instruction
    done
    .endm
    load load_8, TLSLD_LDST8_DTPREL_LO12, ldrb w0, [x0]
    load load_16, TLSLD_LDST16_DTPREL_LO12, ldrh w0, [x0]
    load load_32, TLSLD_LDST32_DTPREL_LO12, ldr w0, [x0]
    load load_64, TLSLD_LDST64_DTPREL_LO12, ldr x0, [x0]
    .macro load_quad name, number
    function \name
    stp  x29, x30, [sp, #-16]!
    bl   block
    at \number, ldr q0, [x0]
    fmov x0, d0
    done
    .endm
    load_quad load_128, TLSLD_LDST128_DTPREL_LO12
    load_quad load_128_unchecked, TLSLD_LDST128_DTPREL_LO12_NC
    .macro exec_quad name, number
    function \name
    mrs  x0, tpidr_el0
    at \number, ldr q0, [x0]
    fmov x0, d0
    ret
    .endm
    exec_quad exec_128, TLSLE_LDST128_TPREL_LO12
    exec_quad exec_128_unchecked, TLSLE_LDST128_TPREL_LO12_NC
    .section .tdata, "awT", %progbits
    .balign 16
    .space 48
    .globl value
    .type value, %object
value:
    .xword 0x1122334455667788, 0x99
    .xword 1, 2
