//! What cores can do, and how objects tell which core they are for (Addenda to the ABI, Build Attributes).

use object::Endianness;
use object::read::elf::AttributesSection;

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

const fn core(name: &'static str, tag: u64, microcontroller: bool, has: [bool; 4]) -> Abilities {
    let [a32, thumb2, long_branches, blx] = has;
    Abilities { name, tag, microcontroller, a32, thumb2, long_branches, blx }
}

/// From least to most able, so that the code of a link is for the last of its objects' cores. [`Core::version`] is an
/// index in this list plus one.
#[rustfmt::skip]
static CORES: &[Abilities] = &[
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

/// The core an object without build attributes is taken to be for, by target name; v7 where there is no row.
static DEFAULTS: &[(&str, &str)] = &[("armv6", "v6"), ("thumbv6m", "v6-M"), ("thumbv7m", "v7-M")];

/// What a core can do.
pub fn abilities(core: Core) -> &'static Abilities {
    CORES.get(usize::from(core.version).wrapping_sub(1)).unwrap_or_else(|| abilities(default_of("")))
}

fn position(is: impl Fn(&Abilities) -> bool) -> Option<Core> {
    CORES.iter().position(is).map(|index| Core { version: index as u8 + 1 })
}

pub(super) fn default_of(target: &str) -> Core {
    let name = DEFAULTS.iter().find(|(name, _)| *name == target).map_or("v7", |(_, core)| core);
    position(|core| core.name == name).unwrap_or_default()
}

const TAG_CPU_RAW_NAME: u64 = 4;
const TAG_CPU_NAME: u64 = 5;
const TAG_CPU_ARCH: u64 = 6;
const TAG_CPU_ARCH_PROFILE: u64 = 7;
const TAG_COMPATIBILITY: u64 = 32;
const TAG_FILE: u8 = 1;

/// Reads Tag_CPU_arch and Tag_CPU_arch_profile of the whole file.
pub(super) fn from_attributes(bytes: &[u8], big_endian: bool) -> Result<Core, &'static str> {
    let read = || -> object::Result<(Option<u64>, u64)> {
        let (mut arch, mut profile) = (None, 0);
        let endian = if big_endian { Endianness::Big } else { Endianness::Little };
        let section = AttributesSection::<object::elf::FileHeader32<Endianness>>::new(endian, bytes)?;
        let mut vendors = section.subsections()?;
        while let Some(vendor) = vendors.next()? {
            let mut scopes = vendor.subsubsections();
            while let Some(scope) = scopes.next()? {
                if vendor.vendor() != b"aeabi" || scope.tag().0 != TAG_FILE {
                    continue;
                }
                let mut attributes = scope.attributes();
                while let Some(tag) = attributes.read_tag()? {
                    match tag {
                        TAG_CPU_ARCH => arch = Some(attributes.read_integer()?),
                        TAG_CPU_ARCH_PROFILE => profile = attributes.read_integer()?,
                        TAG_COMPATIBILITY => {
                            attributes.read_integer()?;
                            attributes.read_string()?;
                        }
                        // Below 32 only the two names are strings; above, odd tags are.
                        TAG_CPU_RAW_NAME | TAG_CPU_NAME => drop(attributes.read_string()?),
                        _ if tag > 32 && tag % 2 == 1 => drop(attributes.read_string()?),
                        _ => drop(attributes.read_integer()?),
                    }
                }
            }
        }
        Ok((arch, profile))
    };
    match read() {
        Err(_) => Err("build attributes are cut short or malformed"),
        Ok((None, _)) => Ok(Core::default()),
        Ok((Some(tag), profile)) => {
            position(|core| core.tag == tag && (tag != 10 || core.microcontroller == (profile == u64::from(b'M'))))
                .ok_or("Tag_CPU_arch has a value this linker does not know")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_documented_cores() {
        assert_eq!(abilities(default_of("armv7")).name, "v7");
        assert_eq!(abilities(default_of("thumbv6m")).name, "v6-M");
        assert!(!abilities(default_of("thumbv7m")).a32);
        assert_eq!(abilities(Core::default()).name, "v7");
    }

    #[test]
    fn every_default_is_a_core() {
        for (target, core) in DEFAULTS {
            assert_eq!(abilities(default_of(target)).name, *core);
        }
    }
}
