/* ILP32: thread-local variables as no compiler here reaches them: the module's entry by page, address and literal; offsets in
   moves, additions, loads of every size, checked and not, from the thread pointer and in the module's block. */
// arch: aarch64_ilp32
// build: clang
// layout: near
// call: by_page() = 0x55667788u32
// call: by_address() = 0x55667788u32
// call: general_by_address() = 0x55667788u32
// call: module() = 1i32
// call: moves_1() = 0x55667788u32
// call: move_0() = 0x55667788u32
// call: add_high() = 0x55667788u32
// call: exec_move_0() = 0x55667788u32
// call: exec_add_low() = 0x55667788u32
// call: block_8() = 0x88u32
// call: block_8_unchecked() = 0x88u32
// call: block_16() = 0x7788u32
// call: block_16_unchecked() = 0x7788u32
// call: block_32() = 0x55667788u32
// call: block_32_unchecked() = 0x55667788u32
// call: block_64() = 0x1122334455667788u64
// call: block_64_unchecked() = 0x1122334455667788u64
// call: block_128() = 0x1122334455667788u64
// call: block_128_unchecked() = 0x1122334455667788u64
// call: exec_8() = 0x88u32
// call: exec_8_unchecked() = 0x88u32
// call: exec_16() = 0x7788u32
// call: exec_16_unchecked() = 0x7788u32
// call: exec_32() = 0x55667788u32
// call: exec_32_unchecked() = 0x55667788u32
// call: exec_64() = 0x1122334455667788u64
// call: exec_64_unchecked() = 0x1122334455667788u64
// call: exec_128() = 0x1122334455667788u64
// call: exec_128_unchecked() = 0x1122334455667788u64
    .macro function name
    .globl \name
    .type \name, %function
\name:
    .endm
    .macro at number, instruction:vararg
    .reloc ., R_AARCH64_P32_\number, value
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
    ldr  w0, [x0]
    done
function by_address
    stp  x29, x30, [sp, #-16]!
    at TLSLD_ADR_PREL21, adr x0, #0
    bl   __tls_get_addr
    at TLSLD_ADD_DTPREL_LO12, add x0, x0, #0
    ldr  w0, [x0]
    done
function general_by_address
    stp  x29, x30, [sp, #-16]!
    at TLSGD_ADR_PREL21, adr x0, #0
    bl   __tls_get_addr
    ldr  w0, [x0]
    done
function module                  // the first word of the entry
    at TLSLD_LD_PREL19, ldr w0, #0
    ret
function moves_1
    stp  x29, x30, [sp, #-16]!
    bl   block
    at TLSLD_MOVW_DTPREL_G1, movz x1, #0, lsl #16
    at TLSLD_MOVW_DTPREL_G0_NC, movk x1, #0
    ldr  w0, [x0, x1]
    done
function move_0
    stp  x29, x30, [sp, #-16]!
    bl   block
    at TLSLD_MOVW_DTPREL_G0, movz x1, #0
    ldr  w0, [x0, x1]
    done
function add_high
    stp  x29, x30, [sp, #-16]!
    bl   block
    at TLSLD_ADD_DTPREL_HI12, add x0, x0, #0, lsl #12
    at TLSLD_ADD_DTPREL_LO12_NC, add x0, x0, #0
    ldr  w0, [x0]
    done
function exec_move_0
    mrs  x8, tpidr_el0
    at TLSLE_MOVW_TPREL_G0, movz x0, #0
    ldr  w0, [x8, x0]
    ret
function exec_add_low
    mrs  x0, tpidr_el0
    at TLSLE_ADD_TPREL_LO12, add x0, x0, #0
    ldr  w0, [x0]
    ret
    .macro block_load name, number, instruction:vararg
    function \name
    stp  x29, x30, [sp, #-16]!
    bl   block
    at \number, \instruction
    done
    .endm
    .macro exec_load name, number, instruction:vararg
    function \name
    mrs  x0, tpidr_el0
    at \number, \instruction
    ret
    .endm
    .macro size bits, instruction:vararg
    block_load block_\bits, TLSLD_LDST\bits\()_DTPREL_LO12, \instruction
    block_load block_\bits\()_unchecked, TLSLD_LDST\bits\()_DTPREL_LO12_NC, \instruction
    exec_load exec_\bits, TLSLE_LDST\bits\()_TPREL_LO12, \instruction
    exec_load exec_\bits\()_unchecked, TLSLE_LDST\bits\()_TPREL_LO12_NC, \instruction
    .endm
    size 8, ldrb w0, [x0]
    size 16, ldrh w0, [x0]
    size 32, ldr w0, [x0]
    size 64, ldr x0, [x0]
    .macro block_quad name, number
    function \name
    stp  x29, x30, [sp, #-16]!
    bl   block
    at \number, ldr q0, [x0]
    fmov x0, d0
    done
    .endm
    .macro exec_quad name, number
    function \name
    mrs  x0, tpidr_el0
    at \number, ldr q0, [x0]
    fmov x0, d0
    ret
    .endm
    block_quad block_128, TLSLD_LDST128_DTPREL_LO12
    block_quad block_128_unchecked, TLSLD_LDST128_DTPREL_LO12_NC
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
