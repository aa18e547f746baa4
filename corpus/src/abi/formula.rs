//! The formulas: a small expression language, read and evaluated.

mod parse;

use parse::Parser;

/// What a formula is made of. Addresses are of the target.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inputs {
    /// S, without the Thumb bit.
    pub s: u64,
    /// A
    pub a: i64,
    /// P
    pub p: u64,
    /// T
    pub t: bool,
    /// The address of the table entry.
    pub entry: u64,
    /// GOT, or GOT_ORG.
    pub got: u64,
    /// B(S)
    pub base: u64,
    /// The start of the thread-local block.
    pub tls: u64,
    /// The thread pointer that goes with it.
    pub tp: u64,
    /// The address of the function descriptor.
    pub descriptor: u64,
}

/// What a table entry holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// An address.
    Address,
    /// An address to be signed.
    Signed,
    /// A TLS descriptor whose function is to be signed.
    SignedDescriptor,
    /// An offset from the thread pointer.
    ThreadOffset,
    /// A module and an offset in its block.
    ModuleAndOffset,
    /// A module and zero.
    Module,
    /// A TLS descriptor.
    Descriptor,
    /// The address of a function descriptor.
    Function,
}

/// A formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formula {
    text: String,
    root: Node,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    Term(Term),
    Binary(char, Box<Node>, Box<Node>),
    Page(Box<Node>),
    Entry(Entry),
    ThreadOffset(Box<Node>),
    BlockOffset(Box<Node>),
    Loader,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Term {
    S,
    A,
    P,
    Pa,
    T,
    Got,
    Base,
    Descriptor,
    Tls,
    Tp,
}

impl Formula {
    /// Reads a formula.
    pub fn parse(text: &str) -> Result<Formula, String> {
        let mut parser = Parser { rest: text };
        let root = parser.sum('|')?;
        if parser.rest.trim().is_empty() {
            Ok(Formula { text: text.to_owned(), root })
        } else {
            Err(format!("`{}` left of `{text}`", parser.rest))
        }
    }

    /// Its value modulo 2^64. None if only a loader knows.
    pub fn evaluate(&self, inputs: &Inputs) -> Option<i64> {
        self.root.evaluate(inputs).map(|value| value as i64)
    }

    /// The table entry it refers to.
    pub fn entry(&self) -> Option<Entry> {
        self.root.entry()
    }

    /// Whether a term occurs in it, by its name.
    pub fn mentions(&self, term: &str) -> bool {
        self.text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == term)
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Node {
    fn evaluate(&self, inputs: &Inputs) -> Option<u64> {
        Some(match self {
            Node::Term(term) => match term {
                Term::S => inputs.s,
                Term::A => inputs.a as u64,
                Term::P => inputs.p,
                Term::Pa => inputs.p & !3,
                Term::T => u64::from(inputs.t),
                Term::Got => inputs.got,
                Term::Base => inputs.base,
                Term::Descriptor => inputs.descriptor,
                Term::Tls => inputs.tls,
                Term::Tp => inputs.tp,
            },
            Node::Binary(operator, left, right) => {
                let (left, right) = (left.evaluate(inputs)?, right.evaluate(inputs)?);
                match operator {
                    '+' => left.wrapping_add(right),
                    '-' => left.wrapping_sub(right),
                    _ => left | right,
                }
            }
            Node::Page(inner) => inner.evaluate(inputs)? & !0xfff,
            Node::Entry(_) => inputs.entry,
            Node::ThreadOffset(inner) => inner.evaluate(inputs)?.wrapping_sub(inputs.tp),
            Node::BlockOffset(inner) => inner.evaluate(inputs)?.wrapping_sub(inputs.tls),
            Node::Loader => return None,
        })
    }

    fn entry(&self) -> Option<Entry> {
        match self {
            Node::Entry(kind) => Some(*kind),
            Node::Binary(_, left, right) => left.entry().or_else(|| right.entry()),
            Node::Page(inner) => inner.entry(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<i64> {
        let inputs = Inputs {
            s: 0x1234_5000,
            a: -3,
            p: 0x1234_6006,
            t: true,
            entry: 0x7008,
            got: 0x6010,
            base: 0x100,
            tls: 0x1234_4000,
            tp: 0x1234_3ff0,
            descriptor: 0x9000,
        };
        Formula::parse(text).unwrap().evaluate(&inputs)
    }

    #[test]
    fn values() {
        assert_eq!(value("S + A"), Some(0x1234_4ffd));
        assert_eq!(value("((S + A) | T) - P"), Some(0x1234_4ffd - 0x1234_6006));
        assert_eq!(value("S + A - Pa"), Some(0x1234_4ffd - 0x1234_6004));
        assert_eq!(value("Page(S + A) - Page(P)"), Some(-0x2000));
        assert_eq!(value("G(GDAT(S)) - Page(GOT)"), Some(0x1008));
        assert_eq!(value("G(GTLSIDX(S)) - GOT"), Some(0xff8));
        assert_eq!(value("G(GDAT(S)) + A - GOT_ORG"), Some(0xff5));
        assert_eq!(value("TPREL(S + A)"), Some(0x100d));
        assert_eq!(value("DTPREL(S + A)"), value("S + A - TLS"));
        assert_eq!(value("B(S) + A"), Some(0xfd));
        assert_eq!(value("PAUTH(S + A)"), value("S + A"));
        assert_eq!(value("G(GDAT(S)) - P + A"), Some(0x7008 - 0x1234_6006 - 3));
        assert_eq!((value("Delta + A"), value("SIGN(Delta + A)")), (None, None));
    }

    #[test]
    fn entries() {
        let entry = |text| Formula::parse(text).unwrap().entry();
        assert_eq!(entry("Page(G(GDAT(S))) - Page(P)"), Some(Entry::Address));
        assert_eq!(entry("G(GTPREL(S)) + A - P"), Some(Entry::ThreadOffset));
        assert_eq!(entry("G(ENCD(GDAT(S)))"), Some(Entry::Signed));
        assert_eq!(entry("G(ENCD(GTLSDESC(S)))"), Some(Entry::SignedDescriptor));
        assert_eq!(entry("S + A - GOT"), None);
    }

    #[test]
    fn refused() {
        for text in ["", "S +", "S A", "(S", "Q", "G(S)", "B(A)", "G(GDAT(A))", "G(GDAT(S + A))", "S + A)"] {
            assert!(Formula::parse(text).is_err(), "{text}");
        }
    }
}
