//! What can go wrong, said so that whoever reads the output of a test knows where to look.

use std::fmt;

use crate::executor::Stop;
use crate::messages::demangled;

/// A result of this module. A test that returns it prints what went wrong line by line.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// Why a program could not be linked, or did something else than it was asked to. `Debug` prints the same as `Display`, as it
/// is what tests print.
#[non_exhaustive]
pub enum Error {
    /// The rig was asked for something that makes no sense.
    Usage(String),
    /// There is no such executor here, or it does not run this target's code.
    Machine(String),
    /// A file or source could not be read or compiled.
    Input(String),
    /// The objects do not link: names file, section, offset, relocation and symbol, and what was expected.
    Link(linker::Error),
    /// Start-up code did not come to its end: a constructor, or the set-up of the thread's variables.
    Start(String),
    /// The program has no such symbol.
    NoSymbol {
        /// The name that was asked for.
        name: String,
        /// One that is like it.
        nearest: Option<String>,
    },
    /// An argument, an address or a register that this machine does not have.
    Access(String),
    /// A call ended otherwise than by returning.
    Stopped(Box<Stopped>),
    /// A call returned something else than was expected.
    Wrong {
        /// The call, as it would be written in a case.
        call: String,
        /// What was expected.
        expected: String,
        /// What was returned.
        found: String,
        /// What is known about it: registers, relocations, the layout.
        context: String,
    },
}

/// A call that did not return: why, and what is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The call, as it would be written in a case.
    pub call: String,
    /// Why it did not return.
    pub stop: Stop,
    /// The symbol and the place in the objects where it stopped.
    pub location: Option<String>,
    /// What was printed until then.
    pub output: String,
    /// Registers, relocations that the function hangs on, and the layout, line by line.
    pub context: String,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.call, self.stop)?;
        if let Some(location) = &self.location {
            write!(f, " in {location}")?;
        }
        if !self.output.is_empty() {
            write!(f, "\n  printed    {:?}", self.output)?;
        }
        f.write_str(&self.context)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Error::Usage(message) | Error::Machine(message) | Error::Input(message) | Error::Access(message) => {
                return f.write_str(message);
            }
            Error::Link(error) => error.to_string(),
            Error::Start(message) => message.clone(),
            Error::NoSymbol { name, nearest: None } => format!("the program has no symbol `{name}`"),
            Error::NoSymbol { name, nearest: Some(nearest) } => {
                format!("the program has no symbol `{name}`; it has `{nearest}`")
            }
            Error::Stopped(stopped) => stopped.to_string(),
            Error::Wrong { call, expected, found, context } => {
                format!("{call}: expected {expected}, got {found}{context}")
            }
        };
        f.write_str(&demangled(&text))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Link(error) => Some(error),
            _ => None,
        }
    }
}

impl From<linker::Error> for Error {
    fn from(error: linker::Error) -> Error {
        Error::Link(error)
    }
}
