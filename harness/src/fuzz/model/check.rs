//! Checks: code that looks at something, and the references by which it does.

use super::{Id, Mode};

/// How code gets the number that a symbol is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Page and offset in the page, or the like: an addition.
    Page,
    /// The same, with the offset in the load instruction.
    PageLoad,
    /// Through the table, page and offset.
    GotPage,
    /// Through the table, by the offset from its origin.
    GotOrigin,
    /// Through the table, by one instruction.
    GotLiteral,
    /// Moves of 16 bits.
    Moves,
    /// Moves of 16 bits, of the distance.
    MovesRelative,
    /// A literal.
    Literal,
    /// A literal, of the distance.
    LiteralRelative,
    /// A literal, of the distance from the table.
    LiteralFromGot,
    /// A call: it finds what the function returns.
    Call,
    /// A jump out of a function that was called.
    Jump,
    /// A conditional call or jump.
    Conditional,
    /// A constant offset of a thread-local variable.
    LocalExec,
    /// The same, by moves.
    LocalExecMoves,
    /// An offset from the table.
    InitialExec,
    /// `__tls_get_addr` for the variable.
    GeneralDynamic,
    /// `__tls_get_addr` for the module.
    LocalDynamic,
    /// A descriptor.
    Descriptor,
}

/// How the instructions of a form that has two of them lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One behind the other, one register.
    Straight,
    /// One behind the other, two registers.
    Apart,
    /// With another instruction between them.
    Spaced,
    /// Two paths with a first instruction each come to one second instruction.
    Tail {
        /// Whether the branch to the second instruction is taken.
        taken: bool,
    },
    /// The second instruction lies in front of the first.
    Back,
    /// The first instruction serves two second ones, the other with this many words more.
    Shared(u32),
}

/// What is done with what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// The word there is loaded.
    Word,
    /// The function there is called.
    Call,
    /// The number itself.
    Number,
    /// Whether the address is this well aligned.
    Aligned(u32),
    /// Whether the sequence with this number in the same check found the same.
    Same(usize),
    /// The pointer there is followed, entry so-and-so of the target.
    Follow(u32),
}

/// One reference: what, how, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// The item.
    pub target: Id,
    /// Words behind its symbol.
    pub addend: u32,
    /// How its address is had.
    pub form: Form,
    /// How the instructions lie.
    pub shape: Shape,
    /// What is done with it.
    pub then: Use,
}

/// Code that looks at something.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Where.
    pub section: String,
    /// State.
    pub mode: Mode,
    /// What it does.
    pub how: How,
}

/// What a check does.
#[derive(Clone, Debug, PartialEq)]
pub enum How {
    /// References, whose instructions are interleaved: which goes next.
    References {
        /// The references.
        list: Vec<Sequence>,
        /// Numbers of sequences, over and over.
        order: Vec<usize>,
    },
    /// A table is read between its bounds.
    Table {
        /// Which.
        table: u32,
    },
    /// A function in pieces is called.
    Run {
        /// Which.
        run: u32,
    },
    /// Constructors have run in order.
    Constructors,
    /// A branch or load of a limited reach to a symbol of the same section.
    Edge {
        /// Which instruction, a number in the dialect's list.
        kind: usize,
        /// The distance in bytes.
        distance: i64,
    },
    /// Where a variable lies with respect to the ends of the image's parts.
    Bounds {
        /// The variable.
        of: Id,
    },
    /// Everything between `__bss_start` and `_end` is zero.
    Cleared,
}
