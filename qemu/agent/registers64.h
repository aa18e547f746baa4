/* AArch64 registers to and from a register file (struct registers), for assembly: x2 to x27 with stp or ldp, v0 to v31 with str or ldr. */
    .arch_extension fp
    .arch_extension simd

    .macro  general pair, file
    \pair   x2, x3, [\file, #16]
    \pair   x4, x5, [\file, #32]
    \pair   x6, x7, [\file, #48]
    \pair   x8, x9, [\file, #64]
    \pair   x10, x11, [\file, #80]
    \pair   x12, x13, [\file, #96]
    \pair   x14, x15, [\file, #112]
    \pair   x16, x17, [\file, #128]
    \pair   x18, x19, [\file, #144]
    \pair   x20, x21, [\file, #160]
    \pair   x22, x23, [\file, #176]
    \pair   x24, x25, [\file, #192]
    \pair   x26, x27, [\file, #208]
    .endm

    .macro  vectors one, first
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    \one    q\n, [\first, #16 * \n]
    .endr
    .endm
