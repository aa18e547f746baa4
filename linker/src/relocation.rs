//! Relocations as rows of data, and the one interpreter of their formulas.
//!
//! A row says what the ABI says: the operation in terms of S, A, P, T, GOT and Page(), the field that takes the result,
//! the check made before. Applying, error messages and documentation are derived from it.

mod check;
mod formula;

pub use self::check::{Allowed, Check};
pub use self::formula::{Entry, Inputs, Minus, Operation, Term};
use crate::field::{Field, Unit};

/// A number in hexadecimal, with a sign where it has one.
pub fn hex(value: i128) -> String {
    if value < 0 { format!("-{:#x}", value.unsigned_abs()) } else { format!("{value:#x}") }
}

/// What a relocation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Marks a dependency; writes nothing.
    None,
    /// A datum.
    Data,
    /// A pointer that is signed once it is in memory; the place says by which key and with what.
    Signed,
    /// A datum that a function returns, once it is in memory; the link leaves the address of the function.
    Initialised,
    /// An instruction, which the symbol is if it is defined: it replaces what stands there, whatever else is relocated there.
    Patch,
    /// A branch that may go through a stub.
    Branch,
    /// A branch too short, or of a kind, to go through a stub.
    ShortBranch,
    /// A datum that names code and may name its stub instead.
    BranchData,
    /// An address, or a part of one, in instructions.
    Address,
    /// By way of the global offset table.
    Got,
    /// About a thread-local variable.
    Tls,
}

impl Class {
    /// Whether it transfers control.
    pub fn is_branch(self) -> bool {
        matches!(self, Class::Branch | Class::ShortBranch)
    }
}

/// What the ABI says of a relocation as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// For linkers, in relocatable objects.
    Static,
    /// The same, but new objects should not have it.
    Deprecated,
    /// For loaders, in what linkers write.
    Dynamic,
    /// It had a meaning once.
    Obsolete,
    /// What it means is between a platform's tools.
    Private,
}

impl Standing {
    /// Whether an object may hold it.
    pub fn is_static(self) -> bool {
        matches!(self, Standing::Static | Standing::Deprecated)
    }

    /// Why an object may not hold it.
    pub fn objection(self) -> &'static str {
        match self {
            Standing::Static | Standing::Deprecated => "it is a static relocation",
            Standing::Dynamic => "it is a dynamic relocation, which linkers write for loaders: not for objects",
            Standing::Obsolete => "it is obsolete: the ABI says no more what it means",
            Standing::Private => "it is private to a platform: the ABI does not say what it means",
        }
    }

    /// What it is, in a word.
    pub fn word(self) -> &'static str {
        match self {
            Standing::Static => "static",
            Standing::Deprecated => "deprecated",
            Standing::Dynamic => "dynamic",
            Standing::Obsolete => "obsolete",
            Standing::Private => "private",
        }
    }
}

/// One relocation of an ABI.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its number in the object file.
    pub number: u32,
    /// Its name in the ABI.
    pub name: &'static str,
    /// Where the ABI defines it: the title of the table or section.
    pub section: &'static str,
    /// Whether it is one for objects at all.
    pub standing: Standing,
    /// What it is about.
    pub class: Class,
    /// Its formula.
    pub operation: Operation,
    /// The check made on the formula's value.
    pub check: Check,
    /// What the formula's value has to be a multiple of: a power of two.
    pub multiple: u8,
    /// The field that takes the value.
    pub field: &'static Field,
}

/// A row, its columns in the order of the tables.
#[allow(clippy::too_many_arguments, reason = "the columns of the table")]
pub(crate) const fn row(
    number: u32,
    name: &'static str,
    section: &'static str,
    class: Class,
    operation: Operation,
    check: Check,
    multiple: u8,
    field: &'static Field,
) -> Row {
    Row { number, name, section, standing: Standing::Static, class, operation, check, multiple, field }
}

static NOTHING: Field = Field::data(Unit::Nothing, &[]);

/// A relocation that no object should have, and of which nothing more is said.
pub(crate) const fn foreign(number: u32, name: &'static str, section: &'static str, standing: Standing) -> Row {
    let operation = Operation::new(Term::Symbol, Minus::Nothing);
    Row { standing, ..row(number, name, section, Class::None, operation, Check::None, 1, &NOTHING) }
}

impl Row {
    /// The same row with another standing.
    pub(crate) const fn standing(self, standing: Standing) -> Row {
        Row { standing, ..self }
    }

    /// Whether objects must not give it an addend (AAELF64 2026Q2, Relocation operations). Those that do get what they meant.
    pub fn wants_no_addend(&self) -> bool {
        self.operation.term == Term::GotOfSum && self.operation.entry != Entry::Module
    }

    /// Whether `value` is a multiple of what it has to be.
    #[inline]
    pub fn is_aligned(&self, value: i64) -> bool {
        value & (i64::from(self.multiple) - 1) == 0
    }

    /// The values that go into the field.
    pub fn allowed(&self) -> Allowed {
        let range = (self.check != Check::None).then(|| self.range());
        Allowed { range, multiple: self.multiple, takes: self.field.takes }
    }

    /// Smallest and largest value that passes both checks.
    pub fn range(&self) -> (i128, i128) {
        let (low, high) = self.check.range();
        let multiple = i128::from(self.multiple);
        (low, high.div_euclid(multiple) * multiple)
    }
}

/// The index of each number in a table sorted by number, `u16::MAX` where there is none. `N` exceeds every number.
pub(crate) const fn by_number<const N: usize>(rows: &[Row]) -> [u16; N] {
    let mut index = [u16::MAX; N];
    let mut i = 0;
    while i < rows.len() {
        index[rows[i].number as usize] = i as u16;
        i += 1;
    }
    index
}
