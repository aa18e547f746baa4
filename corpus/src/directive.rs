//! The directive language of the cases: what there is ([`DIRECTIVES`]), finding it in a source ([`scan()`]), and scopes.
//!
//! The reference for people is `docs/directives.md`; its tables are this table, and a test compares the two.

pub(crate) mod scan;
mod scope;
mod table;

use std::fmt;

pub use scan::{Part, Raw, Source, is_plain, scan};
pub use scope::{Scope, Subject, Word};
pub use table::{DIRECTIVES, Group, Spec, reference};

use table::ScopeKind;

/// What is wrong with a directive, where, and what would have been right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectiveError {
    /// The file, as it was named to the parser.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// What is wrong or was expected.
    pub message: String,
    /// What was probably meant.
    pub help: Option<String>,
}

impl fmt::Display for DirectiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for DirectiveError {}

/// A place in a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
}

impl Location {
    /// An error here.
    pub(crate) fn error(self, file: &str, message: impl Into<String>) -> DirectiveError {
        DirectiveError {
            file: file.to_owned(),
            line: self.line,
            column: self.column,
            message: message.into(),
            help: None,
        }
    }
}

impl DirectiveError {
    /// The same error with a suggestion, when there is one.
    pub(crate) fn meant(mut self, name: Option<&str>) -> DirectiveError {
        self.help = name.map(|name| format!("did you mean `{name}`?"));
        self
    }
}

/// Whether a file of this name is a case: one of the known extensions, headers and linker scripts apart.
pub(crate) fn is_source(name: &str) -> bool {
    scan::extension(name).is_some_and(|row| !scan::READ.contains(&row.0))
}

/// The extensions of cases.
pub(crate) fn extensions() -> Vec<&'static str> {
    scan::EXTENSIONS.iter().map(|row| row.0).filter(|extension| !scan::READ.contains(extension)).collect()
}
