//! The targets that there are: one table, whose rows say all that a linker has to know of one.

use crate::arch::aarch64::Aarch64;
use crate::arch::arm::{Arm, cores};
use crate::arch::{Architecture, Core};

/// A target by name: what an object for it looks like and what its code expects of the core.
#[derive(Debug)]
pub struct Target {
    /// The one name used in case names, options and reports.
    pub name: &'static str,
    /// Its architecture.
    pub architecture: &'static dyn Architecture,
    /// `e_machine` of its objects.
    pub machine: u16,
    /// Bits in a pointer: 32 or 64.
    pub pointer_bits: u32,
    /// Bits in which addresses are computed, and to which they wrap: 32 or 64.
    pub register_bits: u32,
    /// Whether data is big-endian. Instructions are little-endian in memory all the same.
    pub big_endian: bool,
    /// Whether functions are Thumb code unless a symbol says otherwise. Thumb is a property of symbols, not of a link.
    pub thumb: bool,
    /// Whether floating-point arguments travel in registers of their own: the VFP variant of the 32-bit procedure call
    /// standard (AAPCS32), which the header of an image says (EF_ARM_ABI_FLOAT_HARD).
    pub hard_float: bool,
    /// The core that an object without build attributes is taken to be for.
    pub core: Core,
    /// GNU ld's names for it, as `-m` takes them. Where several targets have objects of one kind, only the first has names.
    pub emulations: &'static [&'static str],
    /// What it stands for.
    pub description: &'static str,
}

const ARM: u16 = object::elf::EM_ARM.0;
const AARCH64: u16 = object::elf::EM_AARCH64.0;

/// Every target there is a name for.
#[rustfmt::skip]
pub static TARGETS: &[Target] = &[
    Target { name: "armv7", architecture: &Arm, machine: ARM, pointer_bits: 32, register_bits: 32, big_endian: false, thumb: false,
             hard_float: true, core: cores::V7, emulations: &["armelf_linux_eabi", "armelf_linux", "armelf"],
             description: "ARMv7-A, A32 code" },
    Target { name: "thumbv7", architecture: &Arm, machine: ARM, pointer_bits: 32, register_bits: 32, big_endian: false, thumb: true,
             hard_float: true, core: cores::V7, emulations: &[],
             description: "ARMv7-A, T32 code" },
    Target { name: "armv6", architecture: &Arm, machine: ARM, pointer_bits: 32, register_bits: 32, big_endian: false, thumb: false,
             hard_float: false, core: cores::V6, emulations: &[],
             description: "ARMv6, A32 code, no movw" },
    Target { name: "thumbv6m", architecture: &Arm, machine: ARM, pointer_bits: 32, register_bits: 32, big_endian: false, thumb: true,
             hard_float: false, core: cores::V6_M, emulations: &[],
             description: "ARMv6-M, Thumb only" },
    Target { name: "thumbv7m", architecture: &Arm, machine: ARM, pointer_bits: 32, register_bits: 32, big_endian: false, thumb: true,
             hard_float: false, core: cores::V7_M, emulations: &[],
             description: "ARMv7-M, Thumb only" },
    Target { name: "aarch64", architecture: &Aarch64 { ilp32: false }, machine: AARCH64, pointer_bits: 64, register_bits: 64, big_endian: false, thumb: false,
             hard_float: false, core: Core::NONE, emulations: &["aarch64linux", "aarch64elf"],
             description: "ARMv8-A, A64 code" },
    Target { name: "armebv7", architecture: &Arm, machine: ARM, pointer_bits: 32, register_bits: 32, big_endian: true, thumb: false,
             hard_float: true, core: cores::V7, emulations: &["armelfb_linux_eabi", "armelfb_linux", "armelfb"],
             description: "ARMv7-A, big-endian data (BE8), A32 code" },
    Target { name: "thumbebv7", architecture: &Arm, machine: ARM, pointer_bits: 32, register_bits: 32, big_endian: true, thumb: true,
             hard_float: true, core: cores::V7, emulations: &[],
             description: "ARMv7-A, big-endian data (BE8), T32 code" },
    Target { name: "aarch64_be", architecture: &Aarch64 { ilp32: false }, machine: AARCH64, pointer_bits: 64, register_bits: 64, big_endian: true, thumb: false,
             hard_float: false, core: Core::NONE, emulations: &["aarch64linuxb", "aarch64elfb"],
             description: "ARMv8-A, big-endian data, A64 code" },
    Target { name: "aarch64_ilp32", architecture: &Aarch64 { ilp32: true }, machine: AARCH64, pointer_bits: 32, register_bits: 64, big_endian: false, thumb: false,
             hard_float: false, core: Core::NONE, emulations: &["aarch64linux32", "aarch64elf32"],
             description: "ARMv8-A, 32-bit pointers (ILP32), A64 code" },
];

impl Target {
    /// The target of this name.
    pub fn named(name: &str) -> Option<&'static Target> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// Whether objects for the other are of the same kind: machine, class and byte order.
    pub fn is_kin(&self, other: &Target) -> bool {
        let kind = |target: &Target| (target.machine, target.pointer_bits, target.big_endian);
        kind(self) == kind(other)
    }

    /// Bytes in a pointer.
    pub fn pointer_bytes(&self) -> usize {
        self.pointer_bits as usize / 8
    }

    /// The lowest `size` bytes of a number, at most 8, as data holds them.
    pub fn bytes(&self, value: u64, size: usize) -> Vec<u8> {
        let size = size.min(8);
        if self.big_endian { value.to_be_bytes()[8 - size..].to_vec() } else { value.to_le_bytes()[..size].to_vec() }
    }

    /// The number that bytes of data make, at most 8 of them.
    pub fn number(&self, bytes: &[u8]) -> u64 {
        let join = |number, byte: &u8| number << 8 | u64::from(*byte);
        if self.big_endian { bytes.iter().fold(0, join) } else { bytes.iter().rev().fold(0, join) }
    }

    /// `value` wrapped to the width of an address.
    pub fn wrap(&self, value: u64) -> u64 {
        if self.pointer_bits == 32 { value & 0xffff_ffff } else { value }
    }
}
