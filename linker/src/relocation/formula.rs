//! The formulas of the ABI, of a few terms, and what they come to.

use std::fmt;

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
}
