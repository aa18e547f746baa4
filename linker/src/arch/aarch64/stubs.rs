//! Code of the linker's own: what branches and calls go through, and what finds thread-local variables.
//!
//! The forms and their names are those that tools which analyse binaries know (Binary Analysis ABI, Veneer Types). In code that
//! is never read as data the address is in instructions. Where pages are guarded, an indirect branch has to land on BTI: what
//! may be branched to so begins with it, and a target that does not gets a stub that does (SYSVABI64, Tool Requirements for
//! generating BTI instructions).

use super::super::{Demands, Resolver, StubShape};
use crate::graph::Bytes;

// Numbers of relocations.
const ABS64: u32 = 257;
const MOVW_UABS_G0_NC: u32 = 264;
const MOVW_UABS_G1_NC: u32 = 266;
const MOVW_UABS_G2_NC: u32 = 268;
const MOVW_UABS_G3: u32 = 269;
const JUMP26: u32 = 282;
const P32_ABS32: u32 = 1;

static DIRECT: StubShape = StubShape {
    name: "absolute",
    label: ("__AArch64AbsLongThunk_", ""),
    #[rustfmt::skip]
    code: &[
        0x50, 0x00, 0x00, 0x58, // ldr x16, .+8
        0x00, 0x02, 0x1f, 0xd6, // br  x16
        0, 0, 0, 0, 0, 0, 0, 0,
    ],
    relocations: &[(8, ABS64)],
    thumb: false,
    mapping: &[(0, Bytes::Code), (8, Bytes::Data)],
};

static DIRECT_LANDING: StubShape = StubShape {
    name: "absolute, with a landing pad",
    #[rustfmt::skip]
    code: &[
        0x5f, 0x24, 0x03, 0xd5, // bti c
        0x70, 0x00, 0x00, 0x58, // ldr x16, .+12
        0x00, 0x02, 0x1f, 0xd6, // br  x16
        0x1f, 0x20, 0x03, 0xd5, // nop
        0, 0, 0, 0, 0, 0, 0, 0,
    ],
    relocations: &[(16, ABS64)],
    mapping: &[(0, Bytes::Code), (16, Bytes::Data)],
    ..DIRECT
};

static PURE: StubShape = StubShape {
    name: "absolute, without literals",
    label: ("__AArch64AbsXOLongThunk_", ""),
    #[rustfmt::skip]
    code: &[
        0x10, 0x00, 0x80, 0xd2, // movz x16, #0
        0x10, 0x00, 0xa0, 0xf2, // movk x16, #0, lsl #16
        0x10, 0x00, 0xc0, 0xf2, // movk x16, #0, lsl #32
        0x10, 0x00, 0xe0, 0xf2, // movk x16, #0, lsl #48
        0x00, 0x02, 0x1f, 0xd6, // br   x16
    ],
    relocations: &[(0, MOVW_UABS_G0_NC), (4, MOVW_UABS_G1_NC), (8, MOVW_UABS_G2_NC), (12, MOVW_UABS_G3)],
    thumb: false,
    mapping: &[(0, Bytes::Code)],
};

static PURE_LANDING: StubShape = StubShape {
    name: "absolute, without literals, with a landing pad",
    #[rustfmt::skip]
    code: &[
        0x5f, 0x24, 0x03, 0xd5, // bti  c
        0x10, 0x00, 0x80, 0xd2, // movz x16, #0
        0x10, 0x00, 0xa0, 0xf2, // movk x16, #0, lsl #16
        0x10, 0x00, 0xc0, 0xf2, // movk x16, #0, lsl #32
        0x10, 0x00, 0xe0, 0xf2, // movk x16, #0, lsl #48
        0x00, 0x02, 0x1f, 0xd6, // br   x16
    ],
    relocations: &[(4, MOVW_UABS_G0_NC), (8, MOVW_UABS_G1_NC), (12, MOVW_UABS_G2_NC), (16, MOVW_UABS_G3)],
    ..PURE
};

/// What the target of a stub goes through that is no landing pad itself.
static LANDING: StubShape = StubShape {
    name: "landing pad",
    label: ("__AArch64BTIThunk_", ""),
    #[rustfmt::skip]
    code: &[
        0x5f, 0x24, 0x03, 0xd5, // bti c
        0x00, 0x00, 0x00, 0x14, // b   S
    ],
    relocations: &[(4, JUMP26)],
    thumb: false,
    mapping: &[(0, Bytes::Code)],
};

static INDIRECT: StubShape = StubShape {
    name: "indirect",
    label: ("", "@iplt"),
    #[rustfmt::skip]
    code: &[
        0x90, 0x00, 0x00, 0x58, // ldr x16, .+16
        0x10, 0x02, 0x40, 0xf9, // ldr x16, [x16]
        0x00, 0x02, 0x1f, 0xd6, // br  x16
        0x1f, 0x20, 0x03, 0xd5, // nop
        0, 0, 0, 0, 0, 0, 0, 0,
    ],
    relocations: &[(16, ABS64)],
    thumb: false,
    mapping: &[(0, Bytes::Code), (16, Bytes::Data)],
};

static INDIRECT_LANDING: StubShape = StubShape {
    name: "indirect, with a landing pad",
    #[rustfmt::skip]
    code: &[
        0x5f, 0x24, 0x03, 0xd5, // bti c
        0x70, 0x00, 0x00, 0x58, // ldr x16, .+12
        0x10, 0x02, 0x40, 0xf9, // ldr x16, [x16]
        0x00, 0x02, 0x1f, 0xd6, // br  x16
        0, 0, 0, 0, 0, 0, 0, 0,
    ],
    ..INDIRECT
};

static DIRECT_32: StubShape = StubShape {
    name: "absolute, ILP32",
    #[rustfmt::skip]
    code: &[
        0x50, 0x00, 0x00, 0x18, // ldr w16, .+8
        0x00, 0x02, 0x1f, 0xd6, // br  x16
        0, 0, 0, 0,
    ],
    relocations: &[(8, P32_ABS32)],
    ..DIRECT
};

static INDIRECT_32: StubShape = StubShape {
    name: "indirect, ILP32",
    #[rustfmt::skip]
    code: &[
        0x70, 0x00, 0x00, 0x18, // ldr w16, .+12
        0x10, 0x02, 0x40, 0xb9, // ldr w16, [x16]
        0x00, 0x02, 0x1f, 0xd6, // br  x16
        0, 0, 0, 0,
    ],
    relocations: &[(12, P32_ABS32)],
    mapping: &[(0, Bytes::Code), (12, Bytes::Data)],
    ..INDIRECT
};

// A descriptor is the function and then its argument; the function gets its address in x0 and keeps all else.
static RESOLVER: Resolver = Resolver {
    #[rustfmt::skip]
    code: &[
        0x00, 0x04, 0x40, 0xf9, // ldr x0, [x0, #8]
        0xc0, 0x03, 0x5f, 0xd6, // ret
    ],
    thumb: false,
    word: 0,
};

static RESOLVER_LANDING: Resolver = Resolver {
    #[rustfmt::skip]
    code: &[
        0x5f, 0x24, 0x03, 0xd5, // bti c
        0x00, 0x04, 0x40, 0xf9, // ldr x0, [x0, #8]
        0xc0, 0x03, 0x5f, 0xd6, // ret
    ],
    ..RESOLVER
};

static RESOLVER_32: Resolver = Resolver {
    #[rustfmt::skip]
    code: &[
        0x00, 0x04, 0x40, 0xb9, // ldr w0, [x0, #4]
        0xc0, 0x03, 0x5f, 0xd6, // ret
    ],
    ..RESOLVER
};

/// Instructions that an indirect branch by way of x16 may land on: bti c, bti j, bti jc, paciasp, pacibsp (Arm Architecture
/// Reference Manual, Branch Target Identification).
const LANDING_PADS: [u64; 5] = [0xd503_245f, 0xd503_249f, 0xd503_24df, 0xd503_233f, 0xd503_237f];

pub(super) fn direct(ilp32: bool, demands: Demands) -> &'static StubShape {
    match (ilp32, demands.pure, demands.landing) {
        (true, ..) => &DIRECT_32,
        (_, false, false) => &DIRECT,
        (_, false, true) => &DIRECT_LANDING,
        (_, true, false) => &PURE,
        (_, true, true) => &PURE_LANDING,
    }
}

pub(super) fn indirect(ilp32: bool, demands: Demands) -> &'static StubShape {
    match (ilp32, demands.landing) {
        (true, _) => &INDIRECT_32,
        (_, false) => &INDIRECT,
        (_, true) => &INDIRECT_LANDING,
    }
}

pub(super) fn resolver(ilp32: bool, demands: Demands) -> &'static Resolver {
    match (ilp32, demands.landing) {
        (true, _) => &RESOLVER_32,
        (_, false) => &RESOLVER,
        (_, true) => &RESOLVER_LANDING,
    }
}

pub(super) fn landing_for(first: u64) -> Option<&'static StubShape> {
    (!LANDING_PADS.contains(&first)).then_some(&LANDING)
}
