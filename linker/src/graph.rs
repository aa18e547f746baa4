//! The link graph: blocks of bytes, symbols that name places in them, and edges (relocations) from block to symbol.
//!
//! Everything lies in arenas under typed indexes. Names are slices of the input. Block content is borrowed from the
//! input until it is copied, once, into the buffer that the target's memory lends.

use std::ops::Range;

use crate::arch::{Architecture, Core, Demands, StubShape};
use crate::assign::Assignment;
use crate::build::{Attributes, Properties, Warning};
use crate::field::Unit;
use crate::index::{Arena, BlockId, EdgeId, GroupId, Id, ObjectId, SectionId, SymbolId};
use crate::memory::{Lifetime, Protection, SigningKey};
use crate::platform::Platform;
use crate::relocation::{Class, Row};
use crate::target::Target;

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
    /// What one of [`LinkGraph::assignments`] says, which is not known yet.
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

/// The graph of one link.
#[derive(Debug)]
pub struct LinkGraph<'data> {
    /// The target by name.
    pub target: &'static Target,
    /// Its architecture.
    pub arch: &'static dyn Architecture,
    /// The architecture's relocations: asked for once, needed for every edge.
    rows: &'static [Row],
    /// What the cores that the objects were built for can do.
    pub core: Core,
    /// What holds of all code.
    pub properties: Properties,
    /// The build attributes of all objects, merged.
    pub attributes: Attributes,
    /// What relocations mean that leave it to the platform.
    pub platform: Platform,
    /// What the authors of the input should know. The linker prints nothing: whoever calls it may.
    pub warnings: Vec<Warning>,
    /// Files and members.
    pub objects: Arena<ObjectId, Object<'data>>,
    /// Sections, in input order, made ones behind.
    pub sections: Arena<SectionId, Section<'data>>,
    /// Blocks, in order of their sections.
    pub blocks: Arena<BlockId, Block<'data>>,
    /// Symbols. The first one stands for nothing.
    pub symbols: Arena<SymbolId, Symbol<'data>>,
    /// Edges, sorted by (block, offset, input order).
    pub edges: Arena<EdgeId, Edge>,
    /// Mapping symbols: sorted by (block, offset).
    pub mapping: Vec<(BlockId, u64, Bytes)>,
    /// Table entries by the edge that uses them, sorted by edge.
    pub entries: Vec<Made>,
    /// Stubs by the edge that uses them, sorted by edge.
    pub stubs: Vec<Made>,
    /// Instructions that were rewritten, sorted by edge: the words to start from, and the rows the edges had.
    pub rewritten: Vec<Rewrite>,
    /// The shapes of stubs, sorted by block.
    pub shapes: Vec<(BlockId, &'static StubShape)>,
    /// The global offset table, when something needs one.
    pub got: Option<BlockId>,
    /// The headers of the image, where they are loaded.
    pub headers: Option<BlockId>,
    /// The places with pointers to be signed.
    pub signatures: Vec<Signature>,
    /// The edges whose places get what a function returns.
    pub initialised: Vec<EdgeId>,
    /// The symbols that the caller defined by expressions.
    pub assignments: Vec<Assignment>,
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

impl<'data> LinkGraph<'data> {
    /// An empty graph.
    pub(crate) fn new(target: &'static Target) -> Self {
        let arch = target.architecture;
        let mut graph = LinkGraph {
            target,
            arch,
            rows: arch.rows(),
            core: Core::default(),
            properties: Properties::default(),
            attributes: Attributes::default(),
            platform: Platform::default(),
            warnings: Vec::new(),
            objects: Arena::default(),
            sections: Arena::default(),
            blocks: Arena::default(),
            symbols: Arena::default(),
            edges: Arena::default(),
            mapping: Vec::new(),
            entries: Vec::new(),
            stubs: Vec::new(),
            rewritten: Vec::new(),
            shapes: Vec::new(),
            got: None,
            headers: None,
            signatures: Vec::new(),
            initialised: Vec::new(),
            assignments: Vec::new(),
        };
        let owner = graph.objects.push(Object { file: "linker", member: None, position: u32::MAX });
        graph.symbols.push(Symbol {
            name: b"",
            definition: Definition::Absolute(0),
            size: 0,
            binding: Binding::Local,
            visibility: Visibility::Default,
            flags: Flags::default(),
            other: 0,
            owner,
        });
        graph
    }

    /// The row of an edge.
    #[inline]
    pub fn row(&self, edge: &Edge) -> &'static Row {
        self.row_of(edge.kind)
    }

    /// The row of this index.
    #[inline]
    pub(crate) fn row_of(&self, kind: u16) -> &'static Row {
        &self.rows[kind as usize]
    }

    /// The edges of a block, in order of their offsets. Logarithmic lookup: `partition_point` on them.
    pub fn edges_of(&self, block: BlockId) -> &[Edge] {
        let range = &self.blocks[block].edges;
        &self.edges.as_slice()[range.start as usize..range.end as usize]
    }

    /// What the bytes at `offset` of `block` are, when a mapping symbol says so.
    pub fn bytes_at(&self, block: BlockId, offset: u64) -> Option<Bytes> {
        let behind = self.mapping.partition_point(|&(b, o, _)| (b, o) <= (block, offset));
        self.mapping[..behind].last().filter(|entry| entry.0 == block).map(|entry| entry.2)
    }

    /// The named symbols that are in blocks, sorted by block and offset: to be found by block with a binary search.
    pub fn placed_symbols(&self) -> Vec<(BlockId, u64, SymbolId)> {
        let placed = self.symbols.iter().filter_map(|(id, symbol)| match symbol.definition {
            Definition::Block(block, offset) if !symbol.name.is_empty() => Some((block, offset, id)),
            _ => None,
        });
        let mut placed: Vec<_> = placed.collect();
        placed.sort_unstable();
        placed
    }

    /// What `edge` uses from a list sorted by edge: its table entry or its stub.
    pub fn made(list: &[Made], edge: EdgeId) -> Option<Made> {
        list.binary_search_by_key(&edge, |made| made.edge).ok().map(|index| list[index])
    }

    /// The content of the section of build attributes that an image of this link has. Empty: it has none.
    pub fn attribute_section(&self) -> Vec<u8> {
        self.arch.attribute_section(&self.attributes, self.target.big_endian)
    }

    /// Adds a section of one block that the linker makes.
    pub(crate) fn make_block(
        &mut self,
        name: &'data [u8],
        protection: Protection,
        relro: bool,
        content: Content<'data>,
        alignment: u64,
    ) -> BlockId {
        let block = self.blocks.next();
        let edges = self.edges.len() as u32;
        let section = self.sections.push(Section {
            name,
            object: linker(),
            ordinal: block.index() as u32,
            kind: Kind::Made,
            protection,
            lifetime: Lifetime::Standard,
            relro,
            thread_local: false,
            retain: false,
            pure_code: false,
            group: None,
            link: None,
            blocks: block.index() as u32..block.index() as u32 + 1,
            reversed: false,
        });
        self.blocks.push(Block {
            section,
            content,
            alignment,
            edges: edges..edges,
            live: true,
            address: 0,
            segment: 0,
            parent: None,
            origin: 0,
        })
    }

    /// Adds an edge to the last block, behind its other edges.
    pub(crate) fn append_edge(&mut self, edge: Edge) -> EdgeId {
        let id = self.edges.push(edge);
        self.blocks[edge.block].edges.end = self.edges.len() as u32;
        id
    }

    /// Adds the edges of a stub in the last block.
    pub(crate) fn fill_stub(&mut self, block: BlockId, shape: &'static StubShape, target: SymbolId, addend: i64) {
        for &(offset, number) in shape.relocations {
            if let Some(kind) = self.arch.row(number) {
                self.append_edge(Edge { addend, offset, target, block, kind });
            }
        }
        self.shapes.push((block, shape));
    }

    /// What code of the linker's own has to keep to.
    pub(crate) fn demands(&self) -> Demands {
        Demands { core: self.core, landing: self.properties.bti, pure: false }
    }

    /// Sets word number `index` of a block that the linker made.
    pub(crate) fn set_word(&mut self, block: BlockId, index: usize, value: u64) {
        let width = self.target.pointer_bytes();
        if let Content::Owned(bytes) = &mut self.blocks[block].content
            && let Some(place) = bytes.get_mut(index * width..(index + 1) * width)
        {
            let unit = if width == 8 { Unit::Data64 } else { Unit::Data32 };
            let _ = unit.write(place, value, self.target.big_endian);
        }
    }

    /// Adds a symbol that the linker makes.
    pub(crate) fn make_symbol(&mut self, block: BlockId, offset: u64, size: u64, flags: Flags) -> SymbolId {
        self.symbols.push(Symbol {
            name: b"",
            definition: Definition::Block(block, offset),
            size,
            binding: Binding::Local,
            visibility: Visibility::Hidden,
            flags,
            other: 0,
            owner: linker(),
        })
    }

    /// The bytes under a site of `size` bytes at an edge, before fixing up. None for zero-fill or beyond the end.
    pub fn bytes_under(&self, edge: &Edge, size: usize) -> Option<&[u8]> {
        let start = edge.offset as usize;
        self.blocks[edge.block].content.bytes().get(start..start.checked_add(size)?)
    }

    /// The row that the relocation of an edge has in its object: where its instruction was rewritten, not the edge's.
    #[inline]
    pub fn object_row(&self, id: EdgeId) -> &'static Row {
        self.row_of(self.rewrite(id).map_or(self.edges[id].kind, |rewrite| rewrite.was))
    }

    /// The word under an edge: that of its instruction if it was rewritten, or else what the object has there.
    pub(crate) fn word_under(&self, id: EdgeId) -> Option<u64> {
        if let Some(rewrite) = self.rewrite(id) {
            return Some(rewrite.word);
        }
        let edge = &self.edges[id];
        let unit = self.row(edge).field.unit;
        unit.read(self.bytes_under(edge, unit.size())?, self.target.big_endian)
    }

    /// How the instruction of an edge was rewritten, if it was.
    pub fn rewrite(&self, id: EdgeId) -> Option<Rewrite> {
        self.rewritten.binary_search_by_key(&id, |rewrite| rewrite.edge).ok().map(|index| self.rewritten[index])
    }

    /// The address of a symbol, without the Thumb bit. None while it is undefined or not laid out.
    pub fn address(&self, symbol: SymbolId) -> Option<u64> {
        match self.symbols[symbol].definition {
            Definition::Block(block, offset) => Some(self.target.wrap(self.blocks[block].address.wrapping_add(offset))),
            Definition::Absolute(address) => Some(self.target.wrap(address)),
            _ => None,
        }
    }

    /// The address of a symbol as a value: with the Thumb bit where it has one.
    pub fn value(&self, symbol: SymbolId) -> Option<u64> {
        let thumb = self.symbols[symbol].flags.has(Flags::THUMB);
        self.address(symbol).map(|address| address | u64::from(thumb))
    }

    /// All live edges with their ids, in order.
    pub fn live_edges(&self) -> impl Iterator<Item = (EdgeId, &Edge)> {
        self.edges.iter().filter(|(_, edge)| self.blocks[edge.block].live)
    }

    /// Those of one class.
    pub fn live_edges_of(&self, class: Class) -> impl Iterator<Item = (EdgeId, &Edge)> {
        self.edges.iter().filter(move |(_, edge)| self.row(edge).class == class && self.blocks[edge.block].live)
    }
}
