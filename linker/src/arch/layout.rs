//! An architecture's part in layout: the distances of policies, and the rules of its output sections.

/// The distances an architecture gives to policies, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spans {
    /// Where `near` starts.
    pub base: u64,
    /// How far apart `far` puts sections of code: beyond the reach of a call.
    pub stride: u64,
    /// How many such places there are before they are used again, so that data stays in reach of what has to reach it.
    pub places: usize,
    /// Where `high` puts code.
    pub high: u64,
    /// Where `high` puts data, if not behind the code.
    pub high_data: Option<u64>,
}

/// Names of input sections, and of the output sections that they belong to: a section of this name, or of one that goes on
/// behind it with a dot. Where the name ends with a dot itself, anything may follow. The longer of two that fit comes first.
pub type Rule = (&'static [u8], &'static [u8]);
