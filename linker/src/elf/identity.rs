//! Describes an ELF file in words, whatever it is for.

use crate::field::Unit;
use crate::target::Target;

/// Machines by `e_machine` (ELF specification, ELF Header; registry of the generic ABI).
#[rustfmt::skip]
static MACHINES: &[(u16, &str)] = &[
    (2, "SPARC"), (3, "x86 (32-bit)"), (4, "68000"), (8, "MIPS"), (15, "PA-RISC"), (18, "SPARC"), (20, "PowerPC"),
    (21, "PowerPC64"), (22, "S/390"), (40, "32-bit ARM"), (42, "SuperH"), (43, "SPARC V9"), (45, "ARC"), (50, "IA-64"),
    (62, "x86-64"), (75, "VAX"), (83, "AVR"), (88, "M32R"), (92, "OpenRISC"), (93, "ARC"), (94, "Xtensa"),
    (105, "MSP430"), (106, "Blackfin"), (113, "Nios II"), (140, "C6000"), (164, "Hexagon"), (183, "AArch64"),
    (185, "AVR32"), (189, "MicroBlaze"), (190, "CUDA"), (191, "TILE-Gx"), (195, "ARC"), (224, "AMDGPU"),
    (243, "RISC-V"), (247, "BPF"), (250, "ARC"), (251, "VE"), (252, "C-SKY"), (258, "LoongArch"), (0x9026, "Alpha"),
];

/// What the header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) wide: bool,
    pub(super) big_endian: bool,
    pub(super) kind: u16,
    pub(super) machine: u16,
}

impl Identity {
    /// Reads it. None: too short, or with a class or a byte order that there is not.
    pub(super) fn of(data: &[u8]) -> Option<Identity> {
        let (class, order) = (*data.get(4)?, *data.get(5)?);
        if !(1..=2).contains(&class) || !(1..=2).contains(&order) {
            return None;
        }
        let big_endian = order == 2;
        let half = |at: usize| Some(Unit::Data16.read(data.get(at..)?, big_endian)? as u16);
        Some(Identity { wide: class == 2, big_endian, kind: half(16)?, machine: half(18)? })
    }

    /// What it would have to say for a target.
    pub(super) fn wanted(target: &Target) -> Identity {
        let (wide, big_endian) = (target.pointer_bits == 64, target.big_endian);
        Identity { wide, big_endian, kind: 1, machine: target.machine }
    }

    /// What sort of file it is.
    pub(super) fn sort(self) -> String {
        match self.kind {
            1 => "an object".to_owned(),
            2 => "an executable".to_owned(),
            3 => "a shared library or a position-independent executable".to_owned(),
            4 => "a core file".to_owned(),
            kind => format!("a file of type {kind:#x}"),
        }
    }

    /// What it is for.
    pub(super) fn purpose(self) -> String {
        let known = MACHINES.iter().find(|(machine, _)| *machine == self.machine);
        let name = known.map_or(format!("machine {}", self.machine), |(_, name)| (*name).to_owned());
        let class = match (self.machine, self.wide) {
            // The other class is another ABI.
            (183, false) => ", ILP32",
            (8 | 21 | 243 | 258, true) => ", 64-bit",
            (8 | 243 | 258, false) => ", 32-bit",
            _ => "",
        };
        let order = if self.big_endian { ", big-endian" } else { "" };
        format!("{name}{class}{order}")
    }
}

/// What an ELF file is, in words.
pub(crate) fn describe(data: &[u8]) -> String {
    match Identity::of(data) {
        Some(identity) => {
            let sort = identity.sort();
            format!("{} for {}", sort.replacen(' ', " ELF ", usize::from(identity.kind == 1)), identity.purpose())
        }
        None => "an ELF file whose header is cut short or damaged".to_owned(),
    }
}
