//! The abilities of cores, and the build attributes by which objects name theirs (Addenda to the ABI, Build Attributes;
//! read in `attributes`).

use crate::arch::Core;

/// What the code of a link may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// Name of the architecture version.
    pub name: &'static str,
    /// Value of Tag_CPU_arch.
    tag: u64,
    /// Whether Tag_CPU_arch_profile is `M`, where the tag alone does not tell.
    microcontroller: bool,
    /// The A32 instruction set.
    pub a32: bool,
    /// All of T32, with its 32-bit loads and wide branches.
    pub thumb2: bool,
    /// Thumb BL with the J1 and J2 bits: +-16 MiB instead of +-4 MiB.
    pub long_branches: bool,
    /// BLX with an immediate, and loads into pc that change state.
    pub blx: bool,
}

impl Abilities {
    /// The value of Tag_CPU_arch in the build attributes of its objects.
    pub fn tag(&self) -> u8 {
        self.tag as u8
    }

    /// Whether it is of the M profile.
    pub fn is_microcontroller(&self) -> bool {
        self.microcontroller
    }
}

const fn core(name: &'static str, tag: u64, microcontroller: bool, has: [bool; 4]) -> Abilities {
    let [a32, thumb2, long_branches, blx] = has;
    Abilities { name, tag, microcontroller, a32, thumb2, long_branches, blx }
}

/// From least to most able, so that the code of a link is for the last of its objects' cores. [`Core::version`] is an
/// index in this list plus one.
#[rustfmt::skip]
const CORES: &[Abilities] = &[
    core("pre-v4", 0, false, [true, false, false, false]),
    core("v4", 1, false, [true, false, false, false]),
    core("v4T", 2, false, [true, false, false, false]),
    core("v5T", 3, false, [true, false, false, true]),
    core("v5TE", 4, false, [true, false, false, true]),
    core("v5TEJ", 5, false, [true, false, false, true]),
    core("v6", 6, false, [true, false, false, true]),
    core("v6KZ", 7, false, [true, false, false, true]),
    core("v6K", 9, false, [true, false, false, true]),
    core("v6-M", 11, true, [false, false, true, false]),
    core("v6S-M", 12, true, [false, false, true, false]),
    core("v8-M.base", 16, true, [false, false, true, false]),
    core("v7-M", 10, true, [false, true, true, false]),
    core("v7E-M", 13, true, [false, true, true, false]),
    core("v8-M.main", 17, true, [false, true, true, false]),
    core("v8.1-M.main", 21, true, [false, true, true, false]),
    core("v6T2", 8, false, [true, true, true, true]),
    core("v7", 10, false, [true, true, true, true]),
    core("v8-R", 15, false, [true, true, true, true]),
    core("v8-A", 14, false, [true, true, true, true]),
    core("v9-A", 22, false, [true, true, true, true]),
];

/// ARMv6.
pub const V6: Core = core_of(6, false);
/// ARMv6-M.
pub const V6_M: Core = core_of(11, true);
/// ARMv7-M.
pub const V7_M: Core = core_of(10, true);
/// ARMv7-A and ARMv7-R.
pub const V7: Core = core_of(10, false);

/// The core of this tag and profile; the one that nobody names if there is none, which a test would see.
const fn core_of(tag: u64, microcontroller: bool) -> Core {
    let mut index = 0;
    while index < CORES.len() {
        if CORES[index].tag == tag && CORES[index].microcontroller == microcontroller {
            return Core { version: index as u8 + 1 };
        }
        index += 1;
    }
    Core { version: 0 }
}

/// What a core can do. One that nobody names is taken to be ARMv7-A.
pub fn abilities(core: Core) -> &'static Abilities {
    let known = |core: Core| CORES.get(usize::from(core.version).wrapping_sub(1));
    known(core).or_else(|| known(V7)).unwrap_or(&CORES[0])
}

fn position(is: impl Fn(&Abilities) -> bool) -> Option<Core> {
    CORES.iter().position(is).map(|index| Core { version: index as u8 + 1 })
}

/// The architectures of the last cores known, of each kind: what code for a later one may use is at least that.
const LATEST: [(bool, &str); 2] = [(false, "v9-A"), (true, "v8.1-M.main")];

/// The core that Tag_CPU_arch and Tag_CPU_arch_profile name. One that came later counts as the latest of its profile.
pub(super) fn named(tag: u64, profile: u64) -> Core {
    let microcontroller = profile == u64::from(b'M');
    let known = position(|core| core.tag == tag && (tag != 10 || core.microcontroller == microcontroller));
    let latest = || LATEST.iter().find(|latest| latest.0 == microcontroller).map_or("v7", |latest| latest.1);
    known.or_else(|| position(|core| core.name == latest())).unwrap_or_default()
}

/// The value of Tag_CPU_arch for code of two: of the more able core, or of the first that has what both have.
pub(super) fn combine(a: u64, b: u64, profile: u64) -> u64 {
    const V6KZ: u64 = 7;
    const V6T2: u64 = 8;
    const V6K: u64 = 9;
    const V7: u64 = 10;
    match (a.min(b), a.max(b)) {
        (V6KZ, V6T2) | (V6T2, V6K) => V7,
        _ if named(a, profile) >= named(b, profile) => a,
        _ => b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_the_cores_that_they_name() {
        assert_eq!([V6, V6_M, V7_M, V7].map(|core| abilities(core).name), ["v6", "v6-M", "v7-M", "v7"]);
        assert_eq!(abilities(Core::default()).name, "v7");
    }

    #[test]
    fn later_cores_are_the_latest_of_their_profile() {
        assert_eq!(abilities(named(99, 0x4d)).name, "v8.1-M.main");
        assert_eq!(abilities(named(99, 0x41)).name, "v9-A");
        assert_eq!(abilities(named(10, 0x4d)).name, "v7-M");
    }

    #[test]
    fn what_two_architectures_make() {
        assert_eq!(combine(7, 8, 0), 10);
        assert_eq!(combine(9, 6, 0), 9);
        assert_eq!(combine(11, 10, 0x4d), 10);
        assert_eq!(combine(10, 14, 0x41), 14);
    }
}
