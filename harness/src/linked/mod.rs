//! A program in the memory of a machine, as everybody sees it who runs it or judges it, whoever linked it.
//!
//! It is made from a link of ours ([`Linked::of_link`]), from an executable ([`Executable::load`]), or from what a loader says that it
//! has loaded ([`Linked::assemble`]). What only our linker knows, such as its graph and its relocations,
//! is not here: the judge names suspects where it has that as well.

pub mod executable;
mod link;
mod symbols;

use std::ops::Range;

use linker::Target;
use linker::error::Site;
use linker::graph::{Bytes, Object, object_name};
use linker::layout::ThreadLocal;
use linker::memory::Protection;

use self::symbols::Symbols;

pub use self::executable::{Executable, LoadError, Mapped, Part, Prepared, Problem};
pub use self::symbols::Symbol;

/// A program that is linked and in memory. Addresses are those that it has there.
#[derive(Debug)]
pub struct Linked<'data> {
    /// The row of the linker's table.
    pub target: &'static Target,
    /// What of memory is the program's, in no order.
    pub segments: Vec<Segment>,
    /// Where a system would start it, with the Thumb bit, if it says so.
    pub entry: Option<u64>,
    /// The initial image of each thread's variables, if there are any.
    pub thread_local: Option<ThreadLocal>,
    /// What runs before it and after it.
    pub routines: Routines,
    /// Where input sections are, as far as that is known, in no order.
    pub pieces: Vec<Piece<'data>>,
    /// Names without a definition that fields of the program are for all the same. Each such field is 0.
    pub unbound: Vec<&'data [u8]>,
    /// Its symbols.
    symbols: Symbols<'data>,
    /// What the bytes from an address on are, sorted by address, as mapping symbols say.
    mapping: Vec<(u64, Bytes)>,
}

/// A part of memory with one protection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it begins.
    pub address: u64,
    /// Bytes, zero-fill included.
    pub size: u64,
    /// What the program may do with it while it runs.
    pub protection: Protection,
}

/// What start-up code calls before the program and leaves to be called after it, in the order of the generic ABI
/// (Initialization and Termination Functions). Arrays hold addresses of functions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routines {
    /// The array that comes first (`.preinit_array`).
    pub preinit_array: Range<u64>,
    /// The function of that name (`_init`), behind it.
    pub init: Option<u64>,
    /// Constructors (`.init_array`).
    pub init_array: Range<u64>,
    /// Finalizers, which are called from the last to the first (`.fini_array`).
    pub fini_array: Range<u64>,
    /// The function of that name (`_fini`), which comes last.
    pub fini: Option<u64>,
}

/// A part of an input section that is in memory in one run.
#[derive(Clone, Debug)]
pub struct Piece<'data> {
    /// Where it is.
    pub address: u64,
    /// Its bytes.
    pub size: u64,
    /// The object that it came from.
    pub object: Object<'data>,
    /// The name of the section.
    pub section: &'data [u8],
    /// The section's number in the object.
    pub number: u32,
    /// Where it begins in the section, in bytes.
    pub offset: u64,
}

/// What a program is made of, where somebody says it piece by piece.
#[derive(Debug)]
pub struct Assembled<'data> {
    /// The row of the linker's table.
    pub target: &'static Target,
    /// What of memory is the program's.
    pub segments: Vec<Segment>,
    /// What runs before it and after it.
    pub routines: Routines,
    /// Where input sections are.
    pub pieces: Vec<Piece<'data>>,
    /// Its symbols.
    pub symbols: Vec<Symbol<'data>>,
    /// What the bytes from an address on are, in any order.
    pub mapping: Vec<(u64, Bytes)>,
}

/// Whether an address is among so many bytes, of which there is always one.
fn holds(start: u64, size: u64, address: u64) -> bool {
    address >= start && address - start < size.max(1)
}

impl<'data> Linked<'data> {
    /// A program without an entry and thread-local variables.
    pub fn assemble(parts: Assembled<'data>) -> Linked<'data> {
        let Assembled { target, segments, routines, pieces, symbols, mut mapping } = parts;
        mapping.sort_by_key(|entry| entry.0);
        Linked {
            target,
            segments,
            entry: None,
            thread_local: None,
            routines,
            pieces,
            unbound: Vec::new(),
            symbols: Symbols::new(symbols),
            mapping,
        }
    }

    /// The symbol of this name: a global one, or else the first local one.
    pub fn symbol(&self, name: &str) -> Option<&Symbol<'data>> {
        self.symbols.named(name.as_bytes())
    }

    /// The address of a symbol as a value, with the Thumb bit where it has one.
    pub fn address(&self, name: &str) -> Option<u64> {
        self.symbol(name).map(Symbol::value)
    }

    /// The address of a symbol as a place in memory, without the Thumb bit.
    pub fn place(&self, name: &str) -> Option<u64> {
        self.symbol(name).map(|symbol| symbol.address)
    }

    /// All symbols, in no order.
    pub fn symbols(&self) -> &[Symbol<'data>] {
        self.symbols.all()
    }

    /// The input section that an address is in, if that is known.
    pub fn piece_at(&self, address: u64) -> Option<&Piece<'data>> {
        self.pieces.iter().find(|piece| holds(piece.address, piece.size, address))
    }

    /// The segment that an address is in.
    pub fn segment_at(&self, address: u64) -> Option<&Segment> {
        self.segments.iter().find(|segment| holds(segment.address, segment.size, address))
    }

    /// The bytes around an address that belong together: its input section, or its segment where no sections are known.
    pub fn extent(&self, address: u64) -> Option<Range<u64>> {
        let (start, size) = match self.piece_at(address) {
            Some(piece) => (piece.address, piece.size),
            None if self.pieces.is_empty() => {
                self.segment_at(address).map(|segment| (segment.address, segment.size))?
            }
            None => return None,
        };
        Some(start..start.saturating_add(size.max(1)))
    }

    /// The symbol that an address is in or behind, within its input section or segment.
    pub fn nearest(&self, address: u64) -> Option<&Symbol<'data>> {
        let extent = self.extent(address)?;
        self.symbols.up_to(address).filter(|symbol| symbol.address >= extent.start)
    }

    /// Where in the objects an address comes from, if that is known.
    pub fn site(&self, address: u64) -> Option<Site> {
        let piece = self.piece_at(address)?;
        Some(Site {
            file: object_name(&piece.object),
            section: Some(linker::error::text(piece.section)),
            offset: Some(piece.offset + (address - piece.address)),
            ..Site::default()
        })
    }

    /// What the bytes at an address are, and from where on, if a mapping symbol of the same extent says so.
    pub fn bytes_at(&self, address: u64) -> Option<(u64, Bytes)> {
        let extent = self.extent(address)?;
        let behind = self.mapping.partition_point(|entry| entry.0 <= address);
        self.mapping[..behind].last().filter(|entry| entry.0 >= extent.start).copied()
    }
}
