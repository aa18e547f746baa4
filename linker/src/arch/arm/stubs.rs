//! Code of the linker's own: what branches and calls go through, and what finds thread-local variables.
//!
//! Every stub ends in a load of pc from a literal, which reaches everything and changes state as the literal's low bit says. In
//! code that is never read as data the address is in instructions, where the core has them.

use super::super::{Demands, Resolver, StubShape};
use super::cores;
use crate::graph::Bytes;

// Numbers of relocations.
const ABS32: u32 = 2;
const MOVW_ABS_NC: u32 = 43;
const MOVT_ABS: u32 = 44;
const THM_MOVW_ABS_NC: u32 = 47;
const THM_MOVT_ABS: u32 = 48;
const THM_ALU_ABS_G0_NC: u32 = 132;
const THM_ALU_ABS_G1_NC: u32 = 133;
const THM_ALU_ABS_G2_NC: u32 = 134;
const THM_ALU_ABS_G3: u32 = 135;

static A32: StubShape = StubShape {
    name: "absolute, A32",
    label: ("__", "_veneer"),
    #[rustfmt::skip]
    code: &[
        0x04, 0xf0, 0x1f, 0xe5, // ldr pc, [pc, #-4]
        0, 0, 0, 0,
    ],
    relocations: &[(4, ABS32)],
    thumb: false,
    mapping: &[(0, Bytes::Code), (4, Bytes::Data)],
};

// v4T: a load into pc does not change state, BX does.
static A32_BX: StubShape = StubShape {
    name: "absolute, A32 before v5T",
    label: ("__", "_veneer"),
    #[rustfmt::skip]
    code: &[
        0x00, 0xc0, 0x9f, 0xe5, // ldr ip, [pc]
        0x1c, 0xff, 0x2f, 0xe1, // bx  ip
        0, 0, 0, 0,
    ],
    relocations: &[(8, ABS32)],
    thumb: false,
    mapping: &[(0, Bytes::Code), (8, Bytes::Data)],
};

static T32: StubShape = StubShape {
    name: "absolute, T32",
    label: ("__", "_veneer"),
    #[rustfmt::skip]
    code: &[
        0xdf, 0xf8, 0x00, 0xf0, // ldr.w pc, [pc]
        0, 0, 0, 0,
    ],
    relocations: &[(4, ABS32)],
    thumb: true,
    mapping: &[(0, Bytes::Thumb), (4, Bytes::Data)],
};

// Thumb-1 with A32 beside it: change state first, as only A32 can load pc without a free register.
static T16_A32: StubShape = StubShape {
    name: "absolute, Thumb-1 by way of A32",
    label: ("__", "_veneer"),
    #[rustfmt::skip]
    code: &[
        0x78, 0x47,             // bx  pc
        0xc0, 0x46,             // nop
        0x00, 0xc0, 0x9f, 0xe5, // ldr ip, [pc]
        0x1c, 0xff, 0x2f, 0xe1, // bx  ip
        0, 0, 0, 0,
    ],
    relocations: &[(12, ABS32)],
    thumb: true,
    mapping: &[(0, Bytes::Thumb), (4, Bytes::Code), (12, Bytes::Data)],
};

// Thumb-1 alone: no register is free, so the address goes through the stack.
static T16: StubShape = StubShape {
    name: "absolute, Thumb-1",
    label: ("__", "_veneer"),
    #[rustfmt::skip]
    code: &[
        0x03, 0xb4, // push {r0, r1}
        0x01, 0x48, // ldr  r0, [pc, #4]
        0x01, 0x90, // str  r0, [sp, #4]
        0x01, 0xbd, // pop  {r0, pc}
        0, 0, 0, 0,
    ],
    relocations: &[(8, ABS32)],
    thumb: true,
    mapping: &[(0, Bytes::Thumb), (8, Bytes::Data)],
};

static A32_INDIRECT: StubShape = StubShape {
    name: "indirect, A32",
    label: ("", "@iplt"),
    #[rustfmt::skip]
    code: &[
        0x04, 0xc0, 0x9f, 0xe5, // ldr ip, [pc, #4]
        0x00, 0xc0, 0x9c, 0xe5, // ldr ip, [ip]
        0x1c, 0xff, 0x2f, 0xe1, // bx  ip
        0, 0, 0, 0,
    ],
    relocations: &[(12, ABS32)],
    thumb: false,
    mapping: &[(0, Bytes::Code), (12, Bytes::Data)],
};

static T32_INDIRECT: StubShape = StubShape {
    name: "indirect, T32",
    label: ("", "@iplt"),
    #[rustfmt::skip]
    code: &[
        0xdf, 0xf8, 0x04, 0xc0, // ldr.w ip, [pc, #4]
        0xdc, 0xf8, 0x00, 0xf0, // ldr.w pc, [ip]
        0, 0, 0, 0,
    ],
    relocations: &[(8, ABS32)],
    thumb: true,
    mapping: &[(0, Bytes::Thumb), (8, Bytes::Data)],
};

static T16_INDIRECT: StubShape = StubShape {
    name: "indirect, Thumb-1",
    label: ("", "@iplt"),
    #[rustfmt::skip]
    code: &[
        0x03, 0xb4, // push {r0, r1}
        0x02, 0x48, // ldr  r0, [pc, #8]
        0x00, 0x68, // ldr  r0, [r0]
        0x01, 0x90, // str  r0, [sp, #4]
        0x01, 0xbd, // pop  {r0, pc}
        0xc0, 0x46, // nop
        0, 0, 0, 0,
    ],
    relocations: &[(12, ABS32)],
    thumb: true,
    mapping: &[(0, Bytes::Thumb), (12, Bytes::Data)],
};

// A descriptor is its argument and then the function, which gets its address in r0.
static RESOLVER_A32: Resolver = Resolver {
    #[rustfmt::skip]
    code: &[
        0x00, 0x00, 0x90, 0xe5, // ldr r0, [r0]
        0x1e, 0xff, 0x2f, 0xe1, // bx  lr
    ],
    thumb: false,
    word: 1,
};

static RESOLVER_T16: Resolver = Resolver {
    #[rustfmt::skip]
    code: &[
        0x00, 0x68, // ldr r0, [r0]
        0x70, 0x47, // bx  lr
    ],
    thumb: true,
    word: 1,
};

// A call leaves the distance of the descriptor from where it returns to in r0.
static TRAMPOLINE_A32: Resolver = Resolver {
    #[rustfmt::skip]
    code: &[
        0x00, 0x00, 0x8e, 0xe0, // add r0, lr, r0
        0x04, 0x10, 0x90, 0xe5, // ldr r1, [r0, #4]
        0x11, 0xff, 0x2f, 0xe1, // bx  r1
    ],
    ..RESOLVER_A32
};

static TRAMPOLINE_T16: Resolver = Resolver {
    #[rustfmt::skip]
    code: &[
        0x70, 0x44, // add r0, lr
        0x41, 0x68, // ldr r1, [r0, #4]
        0x08, 0x47, // bx  r1
    ],
    ..RESOLVER_T16
};

static A32_PURE: StubShape = StubShape {
    name: "absolute, A32 without literals",
    label: ("__", "_veneer"),
    #[rustfmt::skip]
    code: &[
        0x00, 0xc0, 0x00, 0xe3, // movw ip, #0
        0x00, 0xc0, 0x40, 0xe3, // movt ip, #0
        0x1c, 0xff, 0x2f, 0xe1, // bx   ip
    ],
    relocations: &[(0, MOVW_ABS_NC), (4, MOVT_ABS)],
    thumb: false,
    mapping: &[(0, Bytes::Code)],
};

static T32_PURE: StubShape = StubShape {
    name: "absolute, T32 without literals",
    label: ("__", "_veneer"),
    #[rustfmt::skip]
    code: &[
        0x40, 0xf2, 0x00, 0x0c, // movw ip, #0
        0xc0, 0xf2, 0x00, 0x0c, // movt ip, #0
        0x60, 0x47,             // bx   ip
    ],
    relocations: &[(0, THM_MOVW_ABS_NC), (4, THM_MOVT_ABS)],
    thumb: true,
    mapping: &[(0, Bytes::Thumb)],
};

// Byte by byte, as Thumb-1 has no wider immediate.
static T16_PURE: StubShape = StubShape {
    name: "absolute, Thumb-1 without literals",
    label: ("__", "_veneer"),
    #[rustfmt::skip]
    code: &[
        0x03, 0xb4, // push {r0, r1}
        0x00, 0x20, // movs r0, #0
        0x00, 0x02, // lsls r0, r0, #8
        0x00, 0x30, // adds r0, #0
        0x00, 0x02, // lsls r0, r0, #8
        0x00, 0x30, // adds r0, #0
        0x00, 0x02, // lsls r0, r0, #8
        0x00, 0x30, // adds r0, #0
        0x01, 0x90, // str  r0, [sp, #4]
        0x01, 0xbd, // pop  {r0, pc}
    ],
    relocations: &[(2, THM_ALU_ABS_G3), (6, THM_ALU_ABS_G2_NC), (10, THM_ALU_ABS_G1_NC), (14, THM_ALU_ABS_G0_NC)],
    thumb: true,
    mapping: &[(0, Bytes::Thumb)],
};

pub(super) fn a32(demands: Demands) -> &'static StubShape {
    let can = cores::abilities(demands.core);
    match (demands.pure && can.thumb2, can.blx) {
        // Cores that have T32 have these moves in A32, too.
        (true, _) => &A32_PURE,
        (_, true) => &A32,
        _ => &A32_BX,
    }
}

pub(super) fn t32(demands: Demands) -> &'static StubShape {
    let can = cores::abilities(demands.core);
    match (demands.pure, can.thumb2, can.a32) {
        (true, true, _) => &T32_PURE,
        (true, false, false) => &T16_PURE,
        (_, true, _) => &T32,
        (_, _, true) => &T16_A32,
        _ => &T16,
    }
}

pub(super) fn indirect(demands: Demands) -> &'static StubShape {
    let can = cores::abilities(demands.core);
    match (can.a32, can.thumb2) {
        (true, _) => &A32_INDIRECT,
        (_, true) => &T32_INDIRECT,
        _ => &T16_INDIRECT,
    }
}

pub(super) fn resolver(demands: Demands) -> &'static Resolver {
    if !cores::abilities(demands.core).a32 { &RESOLVER_T16 } else { &RESOLVER_A32 }
}

pub(super) fn trampoline(demands: Demands) -> &'static Resolver {
    if !cores::abilities(demands.core).a32 { &TRAMPOLINE_T16 } else { &TRAMPOLINE_A32 }
}
