//! Why an executable was not loaded.

/// Names the file, what in it is meant, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct LoadError {
    /// The file.
    pub file: String,
    /// What is the matter with it.
    pub problem: Problem,
}

/// What is the matter with an executable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It says what cannot be.
    #[error("{at}: {what}")]
    Malformed {
        /// The header, the field or the entry of a table.
        at: String,
        /// What it says, and what was expected.
        what: String,
    },
    /// It is well-formed, and for somebody else.
    #[error("{0}")]
    Refused(String),
    /// Dynamic symbols that neither it nor the host defines.
    #[error("undefined: {}; a run-time linker would look for them in shared objects", .0.join(", "))]
    Undefined(Vec<String>),
    /// The machine has no room for it, or a resolver of an IFUNC symbol did not return.
    #[error("{0}")]
    Machine(String),
}

/// An error about a place in the file.
pub(super) fn malformed(at: impl Into<String>, what: impl Into<String>) -> Problem {
    Problem::Malformed { at: at.into(), what: what.into() }
}
