//! The relocations of the ABI as the ABI's text has them, transcribed a second time (`corpus/abi/README.md`), with an
//! evaluator and an encoder of their own. Expectations of proofs are computed here, never from the linker's rows.

use std::sync::LazyLock;

mod field;
mod formula;
mod group;
mod read;
mod weak;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tools;

pub use field::Refusal;
pub use formula::{Entry, Formula, Inputs};
pub use weak::{Unresolved, UnresolvedBranch};

/// Which numbering a relocation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// AArch64 in ELF64 files.
    Lp64,
    /// AArch64 in ELF32 files.
    Ilp32,
    /// ARM.
    Arm,
}

impl Class {
    /// What the names of its relocations begin with.
    pub fn prefix(self) -> &'static str {
        match self {
            Class::Lp64 => "R_AARCH64_",
            Class::Ilp32 => "R_AARCH64_P32_",
            Class::Arm => "R_ARM_",
        }
    }
}

/// What the ABI says of the use of a relocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// For static linkers.
    Static,
    /// For loaders.
    Dynamic,
    /// Being retired, still to be understood.
    Deprecated,
    /// No longer defined.
    Obsolete,
    /// Left to platforms.
    Private,
}

/// The kind of place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Nothing is written.
    None,
    /// A byte.
    Data8,
    /// Two bytes.
    Data16,
    /// Four bytes.
    Data32,
    /// Eight bytes.
    Data64,
    /// An A64 instruction.
    A64,
    /// An A32 instruction.
    A32,
    /// A T32 instruction of two halfwords; in a word, the first is on top.
    T32,
    /// A T32 instruction of one halfword.
    T16,
}

impl Place {
    /// Bytes that it covers.
    pub fn size(self) -> usize {
        match self {
            Place::None => 0,
            Place::Data8 => 1,
            Place::Data16 | Place::T16 => 2,
            Place::Data32 | Place::A64 | Place::A32 | Place::T32 => 4,
            Place::Data64 => 8,
        }
    }

    /// Whether it is an instruction.
    pub fn is_code(self) -> bool {
        matches!(self, Place::A64 | Place::A32 | Place::T32 | Place::T16)
    }

    /// Its bytes as a word. `bytes` are little-endian and at least as many as it covers.
    pub fn word(self, bytes: &[u8]) -> u64 {
        let plain = bytes[..self.size()].iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        if self == Place::T32 { plain >> 16 | (plain & 0xffff) << 16 } else { plain }
    }

    /// Its bytes in memory as a word: instructions are little-endian there, whatever data is.
    pub fn word_in_memory(self, bytes: &[u8], big_endian: bool) -> u64 {
        let mut bytes = bytes[..self.size()].to_vec();
        if big_endian && !self.is_code() {
            bytes.reverse();
        }
        self.word(&bytes)
    }

    /// A word as its little-endian bytes.
    pub fn bytes(self, word: u64) -> Vec<u8> {
        let plain = if self == Place::T32 { word >> 16 | (word & 0xffff) << 16 } else { word };
        plain.to_le_bytes()[..self.size()].to_vec()
    }
}

/// What is checked of X.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Nothing.
    None,
    /// That it lies between these two, which are included.
    Range(i128, i128),
    /// That the groups before it leave no more than it can hold.
    Group,
}

/// How an instruction is more than its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Special {
    /// The assembler has put the number of the group of 16 bits into bits 22:21.
    Hw,
    /// MOVZ or MOVN by the sign of X, and as `Hw`.
    MovnMovz,
    /// Bit 23 is the sign and the field the magnitude.
    Up,
    /// A32 ADD or SUB by the sign of X, with a rotated constant.
    AddSub,
    /// T32 ADR, which adds or subtracts by the sign of X; the field is the magnitude.
    #[serde(rename = "t32-adr")]
    T32Adr,
    /// A32 B or conditional BL, which cannot change state.
    A32Branch,
    /// A32 BL or BLX by the state of the target.
    A32Call,
    /// T32 B.W: two bits are XORed with the sign.
    T32Branch,
    /// T32 BL or BLX by the state of the target, as `T32Branch`.
    T32Call,
}

/// How a REL addend is read from the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Addend {
    /// A signed field, shifted to the selected bits.
    Signed,
    /// An unsigned one, shifted to them.
    Unsigned,
    /// A signed number of 16 bits, whichever bits are selected.
    Signed16,
    /// An unsigned number, whichever bits are selected.
    Unscaled,
    /// Shifted, and from -4 on.
    Wrap4,
}

/// What the symbol has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SymbolRule {
    /// Undefined, and then nothing is written, or of section index `SHN_ABS`.
    UndefinedOrAbsolute,
}

/// An instruction that may stand somewhere.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Opcode {
    /// What an assembler calls it.
    pub name: String,
    /// Its word, with a field that means zero.
    pub word: u64,
}

/// The datum or instruction that takes the value.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// What kind of place it is.
    pub place: Place,
    /// The pieces of its field: lowest bit of the selected value, lowest bit in the word, width.
    #[serde(default)]
    pub bits: Vec<(u32, u32, u32)>,
    /// What more there is to it.
    pub special: Option<Special>,
    /// How an addend is read.
    pub addend: Option<Addend>,
    /// Instructions that may stand there.
    #[serde(default)]
    pub opcodes: Vec<Opcode>,
    /// One that may not.
    pub wrong: Option<Opcode>,
    /// A register: lowest bit, width, and how many of its values are fit for use.
    pub rd: Option<(u32, u32, u64)>,
}

/// One relocation.
#[derive(Clone, Debug)]
pub struct Relocation {
    /// Its numbering.
    pub class: Class,
    /// Its number there.
    pub number: u32,
    /// Its full name.
    pub name: String,
    /// Full names under which tools know the number.
    pub aliases: Vec<String>,
    /// The section or table of the ABI that defines it.
    pub section: String,
    /// The document and the release of it that the row was read from: `AAELF64 2026Q2`.
    pub release: String,
    /// What the ABI says of its use.
    pub standing: Standing,
    /// X.
    pub formula: Option<Formula>,
    /// Whether the ABI wants A to be zero, because X is of a table entry of S alone. Up to AAELF64 2023Q3 the entry was of
    /// S + A; the linker keeps to that for objects that have an A, and the proofs hold it to it.
    pub zero_addend: bool,
    /// What the symbol has to be, where that is not just anything.
    pub symbol: Option<SymbolRule>,
    /// What is checked of X.
    pub check: Check,
    /// The same on a core before Thumb-2, where that is less.
    pub without_thumb2: Option<Check>,
    /// What X has to be a multiple of.
    pub align: u64,
    /// The bits of X that are taken: highest and lowest.
    pub select: (u32, u32),
    /// What takes them.
    pub form: Form,
    /// Its number among group relocations of A32.
    pub group: Option<u32>,
    /// Whether a linker may go by way of a veneer where X does not fit.
    pub veneer: bool,
    /// What becomes of a branch by a weak reference that nothing resolves, where the ABI has more to say than the value of S.
    pub unresolved_branch: Option<UnresolvedBranch>,
}

impl Relocation {
    /// The instructions that may carry it; empty for data.
    pub fn opcodes(&self) -> Vec<Opcode> {
        let hw = match self.form.special {
            Some(Special::Hw | Special::MovnMovz) => u64::from(self.select.1 / 16) << 21,
            _ => 0,
        };
        self.form.opcodes.iter().map(|opcode| Opcode { name: opcode.name.clone(), word: opcode.word | hw }).collect()
    }

    /// The table entry that X is of, and whether it is of S + A rather than of S: that no formula says, and objects ask for where
    /// they have an addend that should be zero ([`Relocation::zero_addend`]).
    pub fn entry(&self) -> Option<(Entry, bool)> {
        let entry = self.formula.as_ref()?.entry()?;
        Some((entry, self.zero_addend))
    }

    /// Whether the ABI forbids an object to have this addend here.
    pub fn forbids_addend(&self, a: i64) -> bool {
        self.zero_addend && a != 0
    }

    /// X for these inputs, computed in 64 bits on AArch64 and 32 on ARM, where it is sign-extended. None if only a loader
    /// knows.
    pub fn value(&self, inputs: &Inputs) -> Option<i64> {
        let value = self.formula.as_ref()?.evaluate(inputs)?;
        Some(if self.class == Class::Arm { i64::from(value as i32) } else { value })
    }
}

/// The relocations of one document.
#[derive(Debug)]
pub struct Abi {
    /// In the order of the document.
    pub relocations: Vec<Relocation>,
}

impl Abi {
    /// The relocation of this number.
    pub fn get(&self, class: Class, number: u32) -> Option<&Relocation> {
        self.relocations.iter().find(|relocation| relocation.class == class && relocation.number == number)
    }
}

/// AAELF64 and PAuthABIELF64.
pub static AARCH64: LazyLock<Abi> = LazyLock::new(|| built_in(include_str!("../abi/aarch64.toml")));

/// AAELF32 and the FDPIC ABI.
pub static ARM: LazyLock<Abi> = LazyLock::new(|| built_in(include_str!("../abi/arm.toml")));

/// The relocations of a class.
pub fn of(class: Class) -> &'static Abi {
    if class == Class::Arm { &ARM } else { &AARCH64 }
}

fn built_in(text: &str) -> Abi {
    // The text is part of the program, and the tests read it.
    read::read(text).unwrap_or_else(|error| panic!("corpus/abi: {error}"))
}
