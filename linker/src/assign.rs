//! Symbols that the caller defines by an expression of numbers and other symbols, as `--defsym` of linkers does.
//!
//! An assignment counts more than what objects say of its symbol. `a = b` makes `a` another name of `b`: the same place,
//! and code of the same state. `a = b + 4` is that place and so many bytes, with nothing known of what is there. Every other
//! expression is a number, computed once all addresses are known.

use crate::index::SymbolId;

/// A step of an expression in postfix order. `S` is how symbols are told: by name, or in a graph by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Term<S> {
    /// A number.
    Number(u64),
    /// The value of a symbol, without the Thumb bit.
    Symbol(S),
    /// The sum of the last two values.
    Add,
    /// The last but one less the last.
    Subtract,
    /// The product of the last two values.
    Multiply,
    /// The last value, negated.
    Negate,
}

/// A symbol of the graph and the expression that it is defined by.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The symbol.
    pub symbol: SymbolId,
    /// What it is, in postfix order.
    pub terms: Vec<Term<SymbolId>>,
}

impl Assignment {
    /// The symbols it is made of.
    pub(crate) fn symbols(&self) -> impl Iterator<Item = SymbolId> + '_ {
        self.terms.iter().filter_map(|term| match term {
            Term::Symbol(symbol) => Some(*symbol),
            _ => None,
        })
    }

    /// Symbol and distance, where that is all that the expression says.
    pub(crate) fn place(&self) -> Option<(SymbolId, u64)> {
        match *self.terms.as_slice() {
            [Term::Symbol(symbol)] => Some((symbol, 0)),
            [Term::Symbol(symbol), Term::Number(more), Term::Add]
            | [Term::Number(more), Term::Symbol(symbol), Term::Add] => Some((symbol, more)),
            [Term::Symbol(symbol), Term::Number(less), Term::Subtract] => Some((symbol, less.wrapping_neg())),
            _ => None,
        }
    }
}

/// The value of an expression, whose arithmetic wraps, where `symbol` knows all its symbols. None too where an operation
/// has fewer values than it takes, or more than one is left.
pub fn evaluate<S: Copy>(terms: &[Term<S>], symbol: impl Fn(S) -> Option<u64>) -> Option<u64> {
    let mut values: Vec<u64> = Vec::new();
    for term in terms {
        let value = match *term {
            Term::Number(number) => number,
            Term::Symbol(name) => symbol(name)?,
            Term::Negate => values.pop()?.wrapping_neg(),
            Term::Add | Term::Subtract | Term::Multiply => {
                let (right, left) = (values.pop()?, values.pop()?);
                match term {
                    Term::Add => left.wrapping_add(right),
                    Term::Subtract => left.wrapping_sub(right),
                    _ => left.wrapping_mul(right),
                }
            }
        };
        values.push(value);
    }
    match *values.as_slice() {
        [value] => Some(value),
        _ => None,
    }
}
