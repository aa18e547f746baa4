//! Parts that can be left out of a linked file.

/// What is left out of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strip {
    /// Nothing.
    Nothing,
    /// Debug information.
    Debug,
    /// That and the symbol table.
    All,
}

/// Which local symbols are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discard {
    /// None.
    Nothing,
    /// Those of the compiler, `.L` and something.
    Temporary,
    /// All.
    All,
}
