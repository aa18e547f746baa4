//! Object file formats: one line each.

use crate::format::Format;
use crate::graph::LinkGraph;

/// All formats.
pub(crate) static FORMATS: &[Format] = &[crate::elf::FORMAT];

/// The format of a file.
pub(crate) fn of(data: &[u8]) -> Option<&'static Format> {
    FORMATS.iter().find(|format| (format.matches)(data))
}

/// Says in the image what holds of all objects.
pub(crate) fn note_properties(graph: &mut LinkGraph<'_>) {
    FORMATS.iter().for_each(|format| (format.note_properties)(graph));
}
