//! The link graph: blocks of bytes, symbols that name places in them, and edges (relocations) from block to symbol.
//!
//! Everything lies in arenas under typed indexes. Names are slices of the input. Block content is borrowed from the
//! input until it is copied, once, into the buffer that the target's memory lends.

mod names;
mod parts;

use crate::arch::{Architecture, Core, Demands, StubShape};
use crate::assign::Assignment;
use crate::build::{Attributes, Properties, Warning};
use crate::error::Several;
use crate::field::Unit;
use crate::index::{Arena, BlockId, EdgeId, Id, ObjectId, SectionId, SymbolId};
use crate::memory::{Lifetime, Protection};
use crate::platform::Platform;
use crate::relocation::{Class, Row};
use crate::target::Target;

pub use names::object_name;
pub use parts::{
    Binding, Block, Bytes, Content, Definition, Edge, End, Extent, Flags, Kind, Made, Object, Rewrite, Section,
    Signature, Symbol, Visibility,
};
pub(crate) use parts::{is_identifier, linker, nothing};

/// Name of the sections that the stubs of IFUNC symbols stand in.
pub(crate) const IFUNC_STUB: &[u8] = b".iplt";

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
    /// Relocations that could not be read and are left out, where [`Options::leave_out`](crate::Options::leave_out) says so.
    pub unread: Several,
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
            unread: Several::default(),
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
        let owner = graph.objects.push(Object { file: "linker", member: None, position: u32::MAX, source: b"" });
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

    /// Whether a block is the stub of an IFUNC symbol.
    pub(crate) fn is_ifunc_stub(&self, block: BlockId) -> bool {
        let section = &self.sections[self.blocks[block].section];
        section.is_made() && section.name == IFUNC_STUB
    }
}
