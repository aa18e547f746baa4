//! An object file format as the linker sees it: functions that recognise, read and describe files.

use crate::error::Result;
use crate::graph::LinkGraph;
use crate::index::ObjectId;
use crate::limits::Limits;
use crate::names::Names;
use crate::target::Target;

/// Reads an object into a graph. The flag says whether debug information is kept.
type Read = for<'data> fn(&mut LinkGraph<'data>, &mut Names<'data>, &Limits, bool, ObjectId, &'data [u8]) -> Result<()>;

/// How an object defines a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defined {
    /// So that no other object may.
    Strong,
    /// Weakly, or as a common symbol: another object's definition may count instead.
    Tentative,
}

/// Tells the global names that an object for this target defines. Of one that cannot be read, none.
type Defines = for<'data> fn(&Target, &'data [u8], &mut dyn FnMut(&'data [u8], Defined));

/// One format.
pub(crate) struct Format {
    /// Its name.
    pub(crate) name: &'static str,
    /// Whether a file looks like one.
    pub(crate) matches: fn(&[u8]) -> bool,
    /// Reads one.
    pub(crate) read: Read,
    /// Looks only at what one defines.
    pub(crate) defines: Defines,
    /// Says in an image what holds of all objects.
    pub(crate) note_properties: fn(&mut LinkGraph<'_>),
    /// What one is, in words.
    pub(crate) describe: fn(&[u8]) -> String,
}
