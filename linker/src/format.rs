//! Object file formats: one line each.

use crate::error::Result;
use crate::graph::LinkGraph;
use crate::index::ObjectId;
use crate::link::Limits;
use crate::names::Names;

/// Reads an object into a graph. The flag says whether debug information is kept.
type Read = for<'data> fn(&mut LinkGraph<'data>, &mut Names<'data>, &Limits, bool, ObjectId, &'data [u8]) -> Result<()>;

/// One format.
pub(crate) struct Format {
    /// Its name.
    pub(crate) name: &'static str,
    /// Whether a file looks like one.
    pub(crate) matches: fn(&[u8]) -> bool,
    /// Reads one.
    pub(crate) read: Read,
}

/// All formats.
pub(crate) static FORMATS: &[Format] = &[crate::elf::FORMAT];
