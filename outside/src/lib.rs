//! Where Linkrig meets the operating system: files are read within bounds and written whole, child processes end in time, and
//! nothing is left behind when the program is told to stop.
//!
//! ```
//! let directory = outside::Scratch::new()?;
//! let path = directory.path().join("report.json");
//! let output = outside::Output::at(&path)?; // Refused now, not after the work.
//! output.write(|file| file.write_all(b"{}\n"))?;
//! assert_eq!(outside::read(&path, 1024)?, b"{}\n");
//! assert!(outside::read(directory.path(), 1024).unwrap_err().to_string().ends_with("it is a directory, expected a file"));
//! # Ok::<(), outside::FileError>(())
//! ```

mod child;
pub mod inherited;
mod output;
mod read;
mod relay;
mod scratch;
pub mod signals;
pub mod stop;

pub use child::{ChildError, Ended, Limits, Running, run};
pub use output::{Output, apart, distinct};
pub use read::{open, read, read_from, read_text};
pub use relay::{Relayed, relay};
pub use scratch::Scratch;

use std::path::{Path, PathBuf};

/// What was wanted of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To read it.
    Input,
    /// To write it.
    Output,
}

/// A file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", shown(.path))]
pub struct FileError {
    /// Which file.
    pub path: PathBuf,
    /// What was wanted of it.
    pub purpose: Purpose,
    /// Why not.
    pub problem: Problem,
}

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The system says so.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is something else than a file: reading it could wait for ever, or never end.
    #[error("it is {0}, expected a file")]
    NoFile(&'static str),
    /// There is more in it than is ever read.
    #[error("it is longer than {0} bytes, the most that is read")]
    TooLong(u64),
    /// It is not text.
    #[error("it is not UTF-8 text, from byte {0} on")]
    NoText(usize),
    /// It has been named for something else already.
    #[error("it is named twice, expected a file for each output")]
    Twice,
    /// It is an input, too.
    #[error("it is an input, too, expected another file")]
    Input,
}

/// A path on one line: an archive or a directory may name any.
fn shown(path: &Path) -> String {
    let path = path.to_string_lossy();
    path.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}

impl FileError {
    fn new(path: &Path, purpose: Purpose, problem: impl Into<Problem>) -> FileError {
        FileError { path: path.to_owned(), purpose, problem: problem.into() }
    }
}
