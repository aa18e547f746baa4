//! What one link is about: a place, what its relocation refers to, and where that is.

/// Where the section goes that [`Aim::Inside`] points into: its segment begins there.
pub(crate) const ZERO: u64 = 0x5123_4000;

/// What the relocation refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// A label at this address.
    Label(u64),
    /// A function at this address, in Thumb code or not.
    Function(u64, bool),
    /// So many bytes into a section of its own.
    Inside(u64),
    /// A thread-local variable, so many bytes into the image.
    ThreadLocal(u64),
    /// The origin of the global offset table.
    Origin,
    /// A symbol that nobody defines.
    Nothing,
}

/// One link to be made.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// The word under the relocation.
    pub word: u64,
    /// The addend: in the relocation, or already in the word where relocations have none.
    pub a: i64,
    /// The address of the place.
    pub p: u64,
    /// What it refers to.
    pub aim: Aim,
    /// Where the global offset table goes.
    pub got: Option<u64>,
    /// Entries in the table before the one of the relocation.
    pub before: u64,
    /// Another relocation of the same symbol, in a section of its own: its number, and the word under it.
    pub pair: Option<(u32, u64)>,
}
