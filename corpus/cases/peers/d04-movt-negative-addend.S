/* Defect 4: MOVT with a negative addend. The 16 bits in the instruction are a signed number, or the upper half comes out one
   too large: for the address 0x12350000 less 4 it is 0x1234. */
// arch: armv7 thumbv7
// define: high_mark = 0x12350000
// call: below_arm() = 0x1234fffcu32
// call: below_thumb() = 0x1234fffcu32
// call: above_arm() = 0x12357fffu32
// covers: R_ARM_MOVW_ABS_NC R_ARM_MOVT_ABS R_ARM_THM_MOVW_ABS_NC R_ARM_THM_MOVT_ABS
    .syntax unified
    .arch armv7-a
    .text
    .arm
    .globl below_arm, above_arm, below_thumb
    .type below_arm, %function
    .type above_arm, %function
    .type below_thumb, %function
below_arm:
    movw r0, #:lower16:(high_mark - 4)
    movt r0, #:upper16:(high_mark - 4)
    bx   lr
above_arm:
    movw r0, #:lower16:(high_mark + 0x7fff)
    movt r0, #:upper16:(high_mark + 0x7fff)
    bx   lr
    .thumb
    .thumb_func
below_thumb:
    movw r0, #:lower16:(high_mark - 4)
    movt r0, #:upper16:(high_mark - 4)
    bx   lr
