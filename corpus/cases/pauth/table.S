/* Signed entries of the global offset table: functions by key IA, data by DA, both with the address of the entry. Every form
   of address of an entry: pages, literal, moves, offsets. */
// arch: aarch64 -aarch64_ilp32
// build: clang -march=armv8.3-a
// layout: near high
// call: page() = &variable
// call: page_of_function() = 77i32
// call: page_and_add() = &variable
// call: literal() = &variable
// call: address() = &variable
// call: from_page() = &variable
// call: from_origin() = &variable
// call: moves_3() = &variable
// call: moves_2() = &variable
// call: moves_1() = &variable
// call: moves_0() = &variable
// covers: R_AARCH64_AUTH_ADR_GOT_PAGE R_AARCH64_AUTH_LD64_GOT_LO12_NC R_AARCH64_AUTH_GOT_ADD_LO12_NC R_AARCH64_AUTH_GOT_LD_PREL19
// covers: R_AARCH64_AUTH_GOT_ADR_PREL_LO21 R_AARCH64_AUTH_LD64_GOTPAGE_LO15 R_AARCH64_AUTH_LD64_GOTOFF_LO15
// covers: R_AARCH64_AUTH_MOVW_GOTOFF_G0 R_AARCH64_AUTH_MOVW_GOTOFF_G0_NC R_AARCH64_AUTH_MOVW_GOTOFF_G1
// covers: R_AARCH64_AUTH_MOVW_GOTOFF_G1_NC R_AARCH64_AUTH_MOVW_GOTOFF_G2 R_AARCH64_AUTH_MOVW_GOTOFF_G2_NC R_AARCH64_AUTH_MOVW_GOTOFF_G3
    .macro function name
    .globl \name
    .type \name, %function
\name:
    .endm
    .macro at number, symbol, instruction:vararg
    .reloc ., R_AARCH64_AUTH_\number, \symbol
    \instruction
    .endm
    .macro entry                 // of the variable, in x8
    at ADR_GOT_PAGE, variable, adrp x8, #0
    at GOT_ADD_LO12_NC, variable, add x8, x8, #0
    .endm
    .macro done
    autda x0, x8
    ret
    .endm
    .text
function seventy_seven
    mov  w0, #77
    ret
function page
    entry
    at ADR_GOT_PAGE, variable, adrp x0, #0
    at LD64_GOT_LO12_NC, variable, ldr x0, [x0]
    done
function page_of_function
    stp  x29, x30, [sp, #-16]!
    at ADR_GOT_PAGE, seventy_seven, adrp x8, #0
    at GOT_ADD_LO12_NC, seventy_seven, add x8, x8, #0
    ldr  x0, [x8]
    blraa x0, x8
    ldp  x29, x30, [sp], #16
    ret
function page_and_add
    entry
    ldr  x0, [x8]
    done
function literal
    entry
    at GOT_LD_PREL19, variable, ldr x0, #0
    done
function address
    at GOT_ADR_PREL_LO21, variable, adr x8, #0
    ldr  x0, [x8]
    done
function from_page
    entry
    adrp x0, _GLOBAL_OFFSET_TABLE_
    at LD64_GOTPAGE_LO15, variable, ldr x0, [x0]
    done
function from_origin
    entry
    adrp x0, _GLOBAL_OFFSET_TABLE_
    add  x0, x0, :lo12:_GLOBAL_OFFSET_TABLE_
    at LD64_GOTOFF_LO15, variable, ldr x0, [x0]
    done
    .macro origin
    adrp x8, _GLOBAL_OFFSET_TABLE_
    add  x8, x8, :lo12:_GLOBAL_OFFSET_TABLE_
    .endm
    .macro load
    add  x8, x8, x0
    ldr  x0, [x8]
    done
    .endm
function moves_3
    origin
    at MOVW_GOTOFF_G3, variable, movz x0, #0, lsl #48
    at MOVW_GOTOFF_G2_NC, variable, movk x0, #0, lsl #32
    at MOVW_GOTOFF_G1_NC, variable, movk x0, #0, lsl #16
    at MOVW_GOTOFF_G0_NC, variable, movk x0, #0
    load
function moves_2
    origin
    at MOVW_GOTOFF_G2, variable, movz x0, #0, lsl #32
    at MOVW_GOTOFF_G1_NC, variable, movk x0, #0, lsl #16
    at MOVW_GOTOFF_G0_NC, variable, movk x0, #0
    load
function moves_1
    origin
    at MOVW_GOTOFF_G1, variable, movz x0, #0, lsl #16
    at MOVW_GOTOFF_G0_NC, variable, movk x0, #0
    load
function moves_0
    origin
    at MOVW_GOTOFF_G0, variable, movz x0, #0
    load
    .data
    .globl variable
    .type variable, %object
    .p2align 3
variable:
    .xword 5
