//! The parts of a graph: objects, sections, blocks, edges and symbols.

use std::ops::Range;

use crate::index::{BlockId, EdgeId, GroupId, Id, ObjectId, SectionId, SymbolId};
use crate::memory::{Lifetime, Protection, SigningKey};

/// Where something came from: a file, or a member of an archive.
#[derive(Clone, Debug)]
pub struct Object<'data> {
    /// The file's name as the caller gave it.
    pub file: &'data str,
    /// The member, when the file is an archive.
    pub member: Option<&'data [u8]>,
    /// Where it stands in the order of the link: the number of its file among those added. Members of an archive stand where
    /// the archive does, in the order in which they were pulled.
    pub position: u32,
    /// Name of the source that it was compiled from, as the compiler wrote it. Empty: it says none.
    pub source: &'data [u8],
}

/// What a section is for, beyond its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Code or data.
    Plain,
    /// Pointers to functions to run before or after main, by priority (lower first; `u32::MAX` when it has none).
    Array(u32),
    /// A table whose records stand in the order of the sections they describe.
    LinkOrder,
    /// Call-frame records, which live as long as the functions they describe.
    Frames,
    /// Made by the linker.
    Made,
}

/// One section of an object.
#[derive(Clone, Debug)]
pub struct Section<'data> {
    /// Its name in the object.
    pub name: &'data [u8],
    /// The object it stands in.
    pub object: ObjectId,
    /// Its number there.
    pub ordinal: u32,
    /// What it is for.
    pub kind: Kind,
    /// Final protection.
    pub protection: Protection,
    /// How long it is needed.
    pub lifetime: Lifetime,
    /// Written by relocation only, then read-only.
    pub relro: bool,
    /// Part of the initial image of each thread's variables.
    pub thread_local: bool,
    /// Kept whether or not anything refers to it.
    pub retain: bool,
    /// Code that is never read as data (SHF_AARCH64_PURECODE, SHF_ARM_PURECODE): it can lie in memory that only executes.
    pub pure_code: bool,
    /// The section group of its object that it is a member of: a group is kept or dropped as a whole (gABI, Section Groups).
    pub group: Option<GroupId>,
    /// The section it is about, for [`Kind::LinkOrder`]: kept when that one is.
    pub link: Option<SectionId>,
    /// Its blocks, which are numbered consecutively.
    pub blocks: Range<u32>,
    /// Whether its blocks lie in memory from the last to the first.
    pub reversed: bool,
}

impl Section<'_> {
    /// The ids of its blocks.
    pub fn block_ids(&self) -> impl DoubleEndedIterator<Item = BlockId> + use<> {
        self.blocks.clone().map(|index| BlockId::new(index as usize))
    }

    /// Whether the linker made it.
    pub fn is_made(&self) -> bool {
        self.object == linker()
    }

    /// Whether its name could stand behind `__start_` in C: then its bounds can be asked for.
    pub fn has_identifier_name(&self) -> bool {
        is_identifier(self.name)
    }
}

/// Whether a name is an identifier of C.
pub(crate) fn is_identifier(name: &[u8]) -> bool {
    name.first().is_some_and(|c| !c.is_ascii_digit()) && name.iter().all(|c| c.is_ascii_alphanumeric() || *c == b'_')
}

/// The bytes of a block.
#[derive(Clone, Debug)]
pub enum Content<'data> {
    /// A slice of the input.
    Borrowed(&'data [u8]),
    /// Made by the linker.
    Owned(Vec<u8>),
    /// So many zero bytes.
    Zero(u64),
}

impl Content<'_> {
    /// Bytes in target memory.
    pub fn size(&self) -> u64 {
        match self {
            Content::Borrowed(bytes) => bytes.len() as u64,
            Content::Owned(bytes) => bytes.len() as u64,
            Content::Zero(size) => *size,
        }
    }

    /// The bytes, none for zero-fill.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Content::Borrowed(bytes) => bytes,
            Content::Owned(bytes) => bytes,
            Content::Zero(_) => &[],
        }
    }

    /// Whether it is zero-fill.
    pub fn is_zero(&self) -> bool {
        matches!(self, Content::Zero(_))
    }
}

/// A run of bytes that moves as one.
#[derive(Clone, Debug)]
pub struct Block<'data> {
    /// The section it belongs to.
    pub section: SectionId,
    /// Its bytes.
    pub content: Content<'data>,
    /// Required alignment of its address, in bytes: a power of two.
    pub alignment: u64,
    /// Its edges: a range of the graph's edges, which are sorted by block and offset.
    pub edges: Range<u32>,
    /// Whether it is part of the link. Pruning clears this first.
    pub live: bool,
    /// Its address, once it has one. Wraps at the target's pointer width.
    pub address: u64,
    /// The segment of the plan that it lies in.
    pub segment: u32,
    /// For a call-frame record: the common record it points back to, see [`Kind::Frames`].
    pub parent: Option<BlockId>,
    /// Byte offset of its start in the section of the object.
    pub origin: u64,
}

impl Block<'_> {
    /// The ids of its edges.
    pub fn edge_ids(&self) -> impl Iterator<Item = EdgeId> + use<> {
        self.edges.clone().map(|index| EdgeId::new(index as usize))
    }
}

/// One relocation: at `offset` of `block`, by the rule of row `kind`, towards `target`. 24 bytes.
///
/// Several edges at one offset are legal and apply in input order.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    /// A, in bytes. An addend that the object stores in the field has been read from there.
    pub addend: i64,
    /// Offset in the block, in bytes.
    pub offset: u32,
    /// The symbol it refers to; index 0 of the graph's symbols stands for nothing (S is 0).
    pub target: SymbolId,
    /// The block whose bytes it changes.
    pub block: BlockId,
    /// Index of its row in the architecture's table.
    pub kind: u16,
}

/// How a symbol takes part in resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Known to its object only.
    Local,
    /// Gives way to a strong definition; may stay undefined.
    Weak,
    /// Must be defined, once.
    Strong,
}

/// Who may see a symbol from outside the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Visibility {
    /// Everyone, who may also override it.
    Default,
    /// Everyone, but references from inside stay inside.
    Protected,
    /// Only this link.
    Hidden,
    /// Only this link, and not even through pointers.
    Internal,
}

/// Which end of something a [`Definition::Bound`] is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its first byte.
    Start,
    /// The byte behind its last.
    Stop,
}

/// What a linker-defined symbol is at the start or end of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent<'data> {
    /// The output section of this name.
    Sections(&'data [u8]),
    /// All segments of this protection.
    Segments(Protection),
    /// The part of the writable segments that carries content.
    Content,
    /// What start-up code clears: the output section `.bss`.
    Zero,
    /// All that is loaded.
    Image,
    /// The headers of the image, where they are loaded.
    Headers,
    /// The global offset table.
    Got,
    /// The initial image of each thread's variables.
    ThreadLocal,
}

/// Where a symbol is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Definition<'data> {
    /// Nowhere yet.
    Undefined,
    /// So many bytes into a block.
    Block(BlockId, u64),
    /// At a fixed address.
    Absolute(u64),
    /// Tentatively defined: zero-fill of this size and alignment, unless somebody defines it.
    Common(u64, u64),
    /// At the end of something that layout decides.
    Bound(Extent<'data>, End),
    /// What one of [`LinkGraph::assignments`](super::LinkGraph::assignments) says, which is not known yet.
    Assigned,
    /// In a section that gave way to another of the same group.
    Discarded,
}

/// What is known of a symbol besides its place, as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Flags(u8);

impl Flags {
    /// Code in the alternate instruction set of the architecture: the low bit of its address as a value is set.
    pub const THUMB: Flags = Flags(1);
    /// A function.
    pub const FUNCTION: Flags = Flags(2);
    /// A function that returns the address of the function to use.
    pub const IFUNC: Flags = Flags(4);
    /// Thread-local.
    pub const TLS: Flags = Flags(8);
    /// Stands for its section.
    pub const SECTION: Flags = Flags(16);
    /// Came from outside, looked up by the caller: its low bit said whether it is Thumb code.
    pub const EXTERNAL: Flags = Flags(32);
    /// A variable.
    pub const OBJECT: Flags = Flags(64);

    /// Whether all bits of `other` are set.
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// With the bits of `other` set.
    pub fn with(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// With the bits of `other` cleared.
    pub fn without(self, other: Flags) -> Flags {
        Flags(self.0 & !other.0)
    }
}

/// A name for a place.
#[derive(Clone, Debug)]
pub struct Symbol<'data> {
    /// Its name; empty for section symbols and what the linker makes.
    pub name: &'data [u8],
    /// Where it is.
    pub definition: Definition<'data>,
    /// Its size in bytes, 0 when the object does not say.
    pub size: u64,
    /// How it is resolved.
    pub binding: Binding,
    /// Who may see it.
    pub visibility: Visibility,
    /// Thumb, function, ...
    pub flags: Flags,
    /// What `st_other` says besides the visibility, such as STO_AARCH64_VARIANT_PCS (0x80).
    pub other: u8,
    /// The object that defines it, or the first that refers to it.
    pub owner: ObjectId,
}

impl Symbol<'_> {
    /// Whether it is nowhere.
    pub fn is_undefined(&self) -> bool {
        self.definition == Definition::Undefined
    }
}

/// What the bytes from some offset on are, told by mapping symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bytes {
    /// Code in the main instruction set.
    Code,
    /// Code in the alternate instruction set.
    Thumb,
    /// Data.
    Data,
}

/// Something the linker made for an edge: a table entry or a stub.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    /// The edge that uses it.
    pub edge: EdgeId,
    /// The symbol at it.
    pub symbol: SymbolId,
    /// The edge that asked for it first.
    pub asked_by: EdgeId,
}

/// An edge whose instruction was changed into another one, which does the same with less.
#[derive(Clone, Copy, Debug)]
pub struct Rewrite {
    /// The edge, whose row is the new one.
    pub edge: EdgeId,
    /// Index of the row it had.
    pub was: u16,
    /// The new instruction, with its field still to be filled.
    pub word: u64,
}

/// A place whose pointer is signed once it is in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Where it is.
    pub block: BlockId,
    /// Offset in the block, in bytes.
    pub offset: u32,
    /// The key.
    pub key: SigningKey,
    /// What is signed along.
    pub discriminator: u16,
    /// Whether the place's address is, too.
    pub diverse: bool,
}

/// The symbol that stands for nothing.
pub(crate) fn nothing() -> SymbolId {
    SymbolId::new(0)
}

/// The object that stands for the linker itself.
pub(crate) fn linker() -> ObjectId {
    ObjectId::new(0)
}
