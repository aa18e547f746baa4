//! What vectors look like in JSON. `vectors/schema.json` says the same to programs, docs/vectors.md to people.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of the format. It grows when a field changes its meaning or goes away.
pub const FORMAT: u32 = 1;

/// Under which licence the output is.
pub const LICENSE: &str = "MIT OR Apache-2.0";

/// What a vector shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Values that show the bits of the field, in each instruction that may carry it.
    InRange,
    /// The last value that fits, at either end of the range.
    LastGood,
    /// The first one beyond.
    FirstBad,
    /// A sum that leaves the address space, or bits that no check looks at and the field does not take.
    Wrap,
    /// A field with something in it: it is the addend where the record has none, and has to go where it has one.
    Dirty,
    /// A value that is not the multiple it has to be.
    Misaligned,
    /// A function of either instruction set: the lowest bit of an address, and calls that change state.
    Thumb,
    /// ARM with the addend in the record, not in the place.
    Rela,
    /// AArch64 with the addend in the place, not in the record.
    Rel,
    /// A label that is an absolute symbol.
    Absolute,
    /// A label of the same file.
    Local,
    /// A section.
    Section,
    /// A weak definition.
    Weak,
    /// A common symbol.
    Common,
    /// A weak reference that nothing resolves.
    WeakUndefined,
    /// A relocation that writes nothing.
    Nothing,
}

impl Kind {
    /// Each, in the order of the documentation.
    pub const ALL: [Kind; 16] = [
        Kind::InRange,
        Kind::LastGood,
        Kind::FirstBad,
        Kind::Wrap,
        Kind::Dirty,
        Kind::Misaligned,
        Kind::Thumb,
        Kind::Rela,
        Kind::Rel,
        Kind::Absolute,
        Kind::Local,
        Kind::Section,
        Kind::Weak,
        Kind::Common,
        Kind::WeakUndefined,
        Kind::Nothing,
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Kind::InRange => "in-range",
            Kind::LastGood => "last-good",
            Kind::FirstBad => "first-bad",
            Kind::Wrap => "wrap",
            Kind::Dirty => "dirty",
            Kind::Misaligned => "misaligned",
            Kind::Thumb => "thumb",
            Kind::Rela => "rela",
            Kind::Rel => "rel",
            Kind::Absolute => "absolute",
            Kind::Local => "local",
            Kind::Section => "section",
            Kind::Weak => "weak",
            Kind::Common => "common",
            Kind::WeakUndefined => "weak-undefined",
            Kind::Nothing => "nothing",
        }
    }
}

/// Why a value must not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// X does not fit.
    OutOfRange,
    /// X is not the multiple it has to be.
    Misaligned,
    /// The instruction cannot enter the instruction set of its target.
    State,
}

impl ErrorKind {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::OutOfRange => "out-of-range",
            ErrorKind::Misaligned => "misaligned",
            ErrorKind::State => "state",
        }
    }
}

/// Where a record has its addend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Record {
    /// In the place.
    Rel,
    /// In the record.
    Rela,
}

/// The one file that names the others.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// [`FORMAT`].
    pub format: u32,
    /// [`LICENSE`].
    pub license: String,
    /// The program that wrote it, and its version.
    pub generator: String,
    /// The documents and releases that values come from.
    pub abi: Vec<String>,
    /// One for each target.
    pub targets: Vec<Listed>,
}

/// A target in the index.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// Its name.
    pub target: String,
    /// The file of its vectors.
    pub file: String,
    /// The same as text, a vector a line.
    pub text: String,
    /// How many relocations have vectors.
    pub relocations: usize,
    /// How many vectors there are of each kind.
    pub counts: BTreeMap<Kind, usize>,
    /// How many relocations or parts of them were left out.
    pub left_out: usize,
}

/// All of a target.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// [`FORMAT`].
    pub format: u32,
    /// [`LICENSE`].
    pub license: String,
    /// The program that wrote it, and its version.
    pub generator: String,
    /// The documents and releases that values come from.
    pub abi: Vec<String>,
    /// Its name.
    pub target: String,
    /// What it stands for.
    pub description: String,
    /// `e_machine` of its objects.
    pub machine: u16,
    /// 32 or 64: the class of its objects.
    pub class: u32,
    /// `little` or `big`: the order of data. In memory, code is little-endian.
    pub data: String,
    /// The relocations that have vectors.
    pub relocations: Vec<Row>,
    /// How many vectors there are of each kind.
    pub counts: BTreeMap<Kind, usize>,
    /// What has no vector, and why.
    pub left_out: Vec<LeftOut>,
    /// The vectors.
    pub vectors: Vec<Vector>,
}

/// A relocation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its number in objects.
    pub number: u32,
    /// Its name in the ABI.
    pub name: String,
    /// The document and release that it was read from.
    pub release: String,
    /// The section of that.
    pub section: String,
    /// X, in the ABI's letters; empty where nothing is written.
    pub formula: String,
    /// What stands at the place: `data8` to `data64`, `a64`, `a32`, `t32`, `t16`.
    pub place: String,
    /// The least X that is allowed, where something is checked.
    pub low: Option<String>,
    /// The greatest.
    pub high: Option<String>,
    /// What X has to be a multiple of.
    pub multiple_of: u64,
    /// Whether a linker may go by way of a veneer where X does not fit.
    pub veneer: bool,
}

/// Something without a vector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// The number of the relocation.
    pub number: u32,
    /// Its name.
    pub relocation: String,
    /// The kind that it has no vector of; absent: of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Why.
    pub reason: String,
}

/// The symbol that a relocation refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Symbol {
    /// `absolute`, `local`, `section`, `weak`, `common`, `undefined`, or `defined` in a section that `sections` places.
    pub definition: String,
    /// `label`, `function`, `thumb-function` or `thread-local`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// One relocation of one place.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    /// Its name, which no other of the target has.
    pub id: String,
    /// The name of the relocation.
    pub relocation: String,
    /// Its number.
    pub number: u32,
    /// What it shows.
    pub kind: Kind,
    /// Where the addend is.
    pub record: Record,
    /// The object file, where there is a small one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The offset of the place in the section `.place` of the object.
    pub offset: u64,
    /// Where sections of the object, `COMMON` and `.got` have to be for the numbers to hold.
    pub sections: BTreeMap<String, String>,
    /// What the relocation refers to.
    pub symbol: Symbol,
    /// The address of the place.
    #[serde(rename = "P")]
    pub p: String,
    /// The address of the symbol, without the bit that says Thumb.
    #[serde(rename = "S")]
    pub s: String,
    /// The addend.
    #[serde(rename = "A")]
    pub a: String,
    /// 1 if the symbol is a Thumb function.
    #[serde(rename = "T")]
    pub t: u8,
    /// What else the formula mentions, by name: `GOT`, `G` (the entry), `B`, `TLS`, `tp`, `FUNCDESC`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub terms: BTreeMap<String, String>,
    /// What the formula comes to.
    #[serde(rename = "X")]
    pub x: String,
    /// The bytes of the place in memory, before.
    pub before: String,
    /// The bytes after; absent if there has to be an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Bytes that are as good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// The error that there has to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorKind>,
}

/// Reads a number as vectors have it: hexadecimal, with a sign where it is negative.
pub fn number(text: &str) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    i128::from_str_radix(digits.strip_prefix("0x")?, 16).ok().map(|value| sign * value)
}
