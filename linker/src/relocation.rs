//! Relocations as rows of data, and the one interpreter of their formulas.
//!
//! A row says what the ABI says: the operation in terms of S, A, P, T, GOT and Page(), the field that takes the result,
//! the check made before. Applying, error messages and documentation are derived from it.

use std::fmt;

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

/// The leading term of a formula.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term {
    /// S + A
    Symbol,
    /// G(GDAT(S)): the table entry that holds S. The addend has to be zero today; an object that has another gets an entry
    /// for S + A, as the ABI up to 2024Q1 had it: GNU as writes references to local symbols so. It is part of the entry's key.
    GotOfSum,
    /// GOT(S) + A: the table entry that holds S, plus the addend.
    GotPlus,
    /// B(S) + A, where B(S) is the origin of the global offset table.
    GotOrigin,
}

/// What a table entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entry {
    /// An address.
    Address,
    /// The offset of a variable from the thread pointer.
    ThreadOffset,
    /// Two words: the module of a variable, and the offset in the module's block.
    Variable,
    /// Two words: this module, and 0.
    Module,
    /// Two words: a function and its argument, which together find a variable.
    Descriptor,
    /// An address, signed.
    Signed,
    /// A descriptor whose function is signed.
    SignedDescriptor,
    /// Two words: a function, and the table of its module. What pointers to functions point at (FDPIC).
    Function,
    /// The address of such a pair.
    FunctionPointer,
}

impl Entry {
    /// Words.
    pub const fn words(self) -> usize {
        match self {
            Entry::Address | Entry::ThreadOffset | Entry::Signed | Entry::FunctionPointer => 1,
            Entry::Variable | Entry::Module | Entry::Descriptor | Entry::SignedDescriptor | Entry::Function => 2,
        }
    }
}

/// What is subtracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Minus {
    /// Nothing.
    Nothing,
    /// P: the address of the place.
    Place,
    /// Page(P): the 4 KiB page of the place.
    PagePlace,
    /// Pa: the place rounded down to a multiple of 4.
    WordPlace,
    /// GOT: the origin of the global offset table.
    Got,
    /// Page(GOT)
    PageGot,
    /// B(S): the origin of the segment that S is in.
    Origin,
    /// tp: what the thread pointer would be if the initial image were a thread's own block. `S + A - tp` is TPREL(S + A).
    ThreadPointer,
    /// TLS: the start of the module's block of thread-local variables. `S + A - TLS` is DTPREL(S + A).
    Block,
}

/// The formula of a relocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The leading term.
    pub term: Term,
    /// Whether the Thumb bit of the symbol is or-ed in: `(S + A) | T`.
    pub thumb: bool,
    /// Whether the 4 KiB page of the term is taken.
    pub page: bool,
    /// What is subtracted.
    pub minus: Minus,
    /// What the table entry holds, where there is one.
    pub entry: Entry,
}

impl Operation {
    /// `term - minus`
    pub const fn new(term: Term, minus: Minus) -> Operation {
        Operation { term, thumb: false, page: false, minus, entry: Entry::Address }
    }

    /// The same by way of another kind of table entry.
    pub const fn entry(self, entry: Entry) -> Operation {
        Operation { entry, ..self }
    }

    /// `(term | T) - minus`
    pub const fn thumb(self) -> Operation {
        Operation { thumb: true, ..self }
    }

    /// `Page(term) - minus`
    pub const fn page(self) -> Operation {
        Operation { page: true, ..self }
    }

    /// Whether the result depends on where the place is.
    pub const fn is_relative(&self) -> bool {
        matches!(self.minus, Minus::Place | Minus::PagePlace | Minus::WordPlace)
    }

    /// Whether it needs a table entry.
    pub const fn needs_entry(&self) -> bool {
        matches!(self.term, Term::GotOfSum | Term::GotPlus)
    }

    /// Whether it needs the table, if only for its address.
    pub const fn needs_got(&self) -> bool {
        self.needs_entry() || matches!(self.term, Term::GotOrigin) || matches!(self.minus, Minus::Got | Minus::PageGot)
    }

    /// X: the value of the formula, sign-extended from the width in which addresses are computed.
    #[inline]
    pub fn evaluate(&self, inputs: &Inputs) -> i64 {
        let a = inputs.a as u64;
        let mut value = match self.term {
            Term::Symbol => inputs.s.wrapping_add(a),
            Term::GotOfSum => inputs.entry,
            Term::GotPlus => inputs.entry.wrapping_add(a),
            Term::GotOrigin => inputs.got.wrapping_add(a),
        };
        if self.thumb {
            value |= u64::from(inputs.t);
        }
        if self.page {
            value &= !0xfff;
        }
        let value = value.wrapping_sub(match self.minus {
            Minus::Nothing => 0,
            Minus::Place => inputs.p,
            Minus::PagePlace => inputs.p & !0xfff,
            Minus::WordPlace => inputs.p & !3,
            Minus::Got => inputs.got,
            Minus::PageGot => inputs.got & !0xfff,
            Minus::Origin => inputs.origin,
            Minus::ThreadPointer => inputs.tp,
            Minus::Block => inputs.block,
        });
        if inputs.narrow { i64::from(value as i32) } else { value as i64 }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let term = match (self.term, self.entry, self.minus) {
            (Term::Symbol, _, Minus::ThreadPointer) => "TPREL(S + A)",
            (Term::Symbol, _, Minus::Block) => "DTPREL(S + A)",
            (Term::Symbol, ..) => "S + A",
            (Term::GotOfSum, Entry::Address, _) => "G(GDAT(S))",
            (Term::GotOfSum, Entry::ThreadOffset, _) => "G(GTPREL(S))",
            (Term::GotOfSum, Entry::Variable, _) => "G(GTLSIDX(S))",
            (Term::GotOfSum, Entry::Module, _) => "G(GLDM(S))",
            (Term::GotOfSum, Entry::Descriptor, _) => "G(GTLSDESC(S))",
            (Term::GotOfSum, Entry::Signed, _) => "G(ENCD(GDAT(S)))",
            (Term::GotOfSum, Entry::SignedDescriptor, _) => "G(ENCD(GTLSDESC(S)))",
            (Term::GotOfSum, Entry::Function | Entry::FunctionPointer, _) => "G(FUNCDESC(S))",
            (Term::GotPlus, Entry::Function, _) => "FUNCDESC(S) + A",
            (Term::GotPlus, Entry::FunctionPointer, _) => "GOT(FUNCDESC(S)) + A",
            (Term::GotPlus, ..) => "GOT(S) + A",
            (Term::GotOrigin, ..) => "B(S) + A",
        };
        match (self.thumb, self.page) {
            (true, _) => write!(f, "(({term}) | T)")?,
            (_, true) => write!(f, "Page({term})")?,
            _ => f.write_str(term)?,
        }
        f.write_str(match self.minus {
            Minus::Nothing => "",
            Minus::Place => " - P",
            Minus::PagePlace => " - Page(P)",
            Minus::WordPlace => " - Pa",
            Minus::Got => " - GOT_ORG",
            Minus::PageGot => " - Page(GOT)",
            Minus::Origin => " - B(S)",
            Minus::ThreadPointer | Minus::Block => "",
        })
    }
}

/// What a formula is made of. All addresses are of the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// S: the address of the symbol, without the Thumb bit.
    pub s: u64,
    /// A: the addend.
    pub a: i64,
    /// P: the address of the place.
    pub p: u64,
    /// T: whether the symbol is a Thumb function.
    pub t: bool,
    /// The address of the table entry, where the formula has one.
    pub entry: u64,
    /// The address of the global offset table.
    pub got: u64,
    /// B(S): where the segment of the symbol starts.
    pub origin: u64,
    /// See [`Minus::ThreadPointer`].
    pub tp: u64,
    /// See [`Minus::Block`].
    pub block: u64,
    /// Whether addresses are computed in 32 bits.
    pub narrow: bool,
}

/// The check made on X before bits are selected from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// None: the value wraps, or only part of it is wanted.
    None,
    /// -2^(n-1) <= X < 2^(n-1)
    Signed(u8),
    /// 0 <= X < 2^n
    Unsigned(u8),
    /// -2^(n-1) <= X < 2^n
    Either(u8),
    /// |X| < 2^n: sign and magnitude.
    Magnitude(u8),
}

impl Check {
    /// Smallest and largest value that passes.
    pub const fn range(self) -> (i128, i128) {
        match self {
            Check::None => (i64::MIN as i128, i64::MAX as i128),
            Check::Signed(n) => (-(1i128 << (n - 1)), (1i128 << (n - 1)) - 1),
            Check::Unsigned(n) => (0, (1i128 << n) - 1),
            Check::Either(n) => (-(1i128 << (n - 1)), (1i128 << n) - 1),
            Check::Magnitude(n) => (1 - (1i128 << n), (1i128 << n) - 1),
        }
    }

    /// Whether `value` passes.
    #[inline]
    pub fn allows(self, value: i64) -> bool {
        // What is left of the value above so many bits: 0, -1, or something that does not fit.
        let above = |bits: u8| value >> bits.min(63);
        match self {
            Check::None => true,
            Check::Signed(n) => matches!(above(n - 1), 0 | -1),
            Check::Unsigned(n) => above(n) == 0,
            Check::Either(n) => above(n) == 0 || above(n - 1) == -1,
            Check::Magnitude(n) => value.unsigned_abs() >> n.min(63) == 0,
        }
    }
}

/// Which values of its formula a relocation takes. Shown, it is the end of a sentence about a value, and empty where every
/// value is taken: `allowed [-0x8000000, 0x7fffffc], multiple of 4`, `allowed: multiples of 8`, `allowed: none left over`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Smallest and largest value; none where values are not checked.
    pub range: Option<(i128, i128)>,
    /// What the value has to be a multiple of, a power of two.
    pub multiple: u8,
    /// What the encoding wants where values are not checked, in a few words, or nothing.
    pub takes: &'static str,
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.range, self.multiple) {
            (Some((low, high)), _) => write!(f, "allowed [{}, {}]", hex(low), hex(high))?,
            (None, 0 | 1) if self.takes.is_empty() => return Ok(()),
            (None, 0 | 1) => return write!(f, "allowed: {}", self.takes),
            (None, multiple) => write!(f, "allowed: multiples of {multiple}")?,
        }
        if self.range.is_some() && self.multiple > 1 {
            write!(f, ", multiple of {}", self.multiple)?;
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas() {
        let inputs = Inputs {
            s: 0x1000,
            a: 8,
            p: 0xf000_0002,
            t: true,
            entry: 0x5678,
            got: 0x5000,
            narrow: true,
            ..Inputs::default()
        };
        let value = |operation: Operation| operation.evaluate(&inputs);
        assert_eq!(value(Operation::new(Term::Symbol, Minus::Nothing)), 0x1008);
        assert_eq!(value(Operation::new(Term::Symbol, Minus::Nothing).thumb()), 0x1009);
        assert_eq!(value(Operation::new(Term::Symbol, Minus::Place)), 0x1000_1006);
        assert_eq!(value(Operation::new(Term::Symbol, Minus::WordPlace)), 0x1000_1008);
        assert_eq!(value(Operation::new(Term::Symbol, Minus::PagePlace).page()), 0x1000_1000);
        assert_eq!(value(Operation::new(Term::GotOfSum, Minus::Got)), 0x678);
        assert_eq!(value(Operation::new(Term::GotPlus, Minus::Nothing)), 0x5680);
        assert_eq!(value(Operation::new(Term::GotOrigin, Minus::Place)), 0x1000_5006);
    }

    /// The fast check says what the range says.
    #[test]
    fn checks_at_their_limits() {
        for n in [1, 8, 26, 32, 63, 64] {
            for check in [Check::Signed(n), Check::Unsigned(n), Check::Either(n), Check::Magnitude(n.min(63))] {
                let (low, high) = check.range();
                for near in [low - 1, low, low + 1, -1, 0, 1, high - 1, high, high + 1] {
                    if let Ok(value) = i64::try_from(near) {
                        assert_eq!(check.allows(value), (low..=high).contains(&near), "{check:?} of {value}");
                    }
                }
            }
        }
        assert!(Check::Signed(8).allows(-128) && !Check::Signed(8).allows(128));
    }
}
