//! The output of a linker, ours or another: the bytes by address, and the places that linkers make.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use linker::Target;
use linker::graph::{Block, Kind, LinkGraph};
use linker::index::SectionId;
use linker::link::Finalized;

use crate::executor::image::ImageFile;

/// The name of the table's origin.
pub(crate) const ORIGIN: &[u8] = b"_GLOBAL_OFFSET_TABLE_";

/// Where a branch ends up: the address, and whether in Thumb state.
pub(crate) type End = Option<(u64, bool)>;

/// What a linker wrote.
pub struct Output<'a> {
    /// What it is for.
    pub(super) target: &'static Target,
    /// Address and bytes of what it loads, in order.
    pub(super) loaded: Vec<(u64, Cow<'a, [u8]>)>,
    /// Where its global offset table is: the start and the end, of each part if there are several.
    pub(super) tables: Vec<(u64, u64)>,
    /// The table's origin.
    pub(crate) origin: Option<u64>,
    /// Its segments, where they are not ours: the start and the end.
    pub(crate) segments: Vec<(u64, u64)>,
    /// Address and size of what came from objects, sorted: what a branch reaches elsewhere, the linker has made.
    pub(crate) inputs: Vec<(u64, u64)>,
    /// Its call-frame records: the start and the end of each part.
    pub(crate) frames: Vec<(u64, u64)>,
    /// Its index of unwinding tables: the start and the end of each part.
    pub(crate) indexes: Vec<(u64, u64)>,
    /// The sections of ours that it has, where it may drop some.
    pub(super) kept: Option<BTreeSet<SectionId>>,
    /// Where branches were found to end up.
    pub(super) followed: RefCell<BTreeMap<(u64, bool), End>>,
}

/// Where the blocks from objects are in our link.
fn inputs(graph: &LinkGraph<'_>) -> Vec<(u64, u64)> {
    let blocks = graph.blocks.iter().filter(|(_, block)| block.live && !graph.sections[block.section].is_made());
    let mut inputs: Vec<_> = blocks.map(|(_, block)| (block.address, block.content.size().max(1))).collect();
    inputs.sort_unstable();
    inputs
}

impl<'a> Output<'a> {
    /// What is at these addresses, in a link that has the objects where ours has them.
    pub(super) fn new(loaded: Vec<(u64, Cow<'a, [u8]>)>, graph: &LinkGraph<'_>) -> Output<'a> {
        Output::placed(graph.target, loaded, inputs(graph))
    }

    /// What is at these addresses, whoever put it there. `inputs` is what came from objects: addresses and sizes, sorted.
    pub(crate) fn placed(
        target: &'static Target,
        mut loaded: Vec<(u64, Cow<'a, [u8]>)>,
        inputs: Vec<(u64, u64)>,
    ) -> Output<'a> {
        loaded.retain(|(_, bytes)| !bytes.is_empty());
        loaded.sort_by_key(|(address, _)| *address);
        Output {
            target,
            loaded,
            tables: Vec::new(),
            origin: None,
            segments: Vec::new(),
            inputs,
            frames: Vec::new(),
            indexes: Vec::new(),
            kept: None,
            followed: RefCell::default(),
        }
    }

    /// Ours.
    pub(super) fn ours(linked: &'a Finalized<'_, ImageFile>) -> Output<'a> {
        let loaded = linked.handle.segments().map(|(address, bytes)| (address, Cow::Borrowed(bytes)));
        Output::of(linked.graph(), loaded.collect())
    }

    /// What is at these addresses, of a link of ours.
    pub(super) fn of(graph: &LinkGraph<'_>, loaded: Vec<(u64, Cow<'a, [u8]>)>) -> Output<'a> {
        let extent = |block: &Block<'_>| (block.address, block.address.saturating_add(block.content.size()));
        let of_kind = |kind| {
            let blocks = graph.blocks.iter().filter(move |(_, block)| {
                block.live && block.content.size() > 0 && graph.sections[block.section].kind == kind
            });
            blocks.map(|(_, block)| extent(block))
        };
        let frames = of_kind(Kind::Frames);
        let indexes = graph.blocks.iter().filter(|(_, block)| block.live && is_index(graph, block.section));
        let indexes = indexes.map(|(_, block)| extent(block)).collect();
        let table = graph.got.map(|got| extent(&graph.blocks[got]));
        Output {
            tables: table.into_iter().collect(),
            origin: table.map(|table| table.0),
            frames: frames.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).into_iter().collect(),
            indexes,
            ..Output::new(loaded, graph)
        }
    }

    /// Where the segment begins that an address is in.
    pub(crate) fn segment_of(&self, address: u64) -> Option<u64> {
        self.segments.iter().find(|(start, end)| (start..end).contains(&&address)).map(|segment| segment.0)
    }

    /// So many bytes at an address.
    pub fn read_at(&self, address: u64, size: usize) -> Option<&[u8]> {
        let behind = self.loaded.partition_point(|(start, _)| *start <= address);
        let (start, bytes) = self.loaded[..behind].last()?;
        let at = usize::try_from(address - start).ok()?;
        bytes.get(at..at.checked_add(size)?)
    }

    /// A word of data at an address.
    pub(crate) fn word_at(&self, address: u64, size: usize) -> Option<u64> {
        Some(self.target.number(self.read_at(address, size)?))
    }

    /// What lies in a page, with zeros where nothing does.
    #[cfg(feature = "unicorn")]
    pub(super) fn page(&self, start: u64, size: usize) -> Vec<u8> {
        let mut page = vec![0; size];
        for (address, bytes) in &self.loaded {
            let from = start.max(*address);
            let to = start.saturating_add(size as u64).min(address.saturating_add(bytes.len() as u64));
            if from < to {
                let part = &bytes[(from - address) as usize..(to - address) as usize];
                page[(from - start) as usize..(to - start) as usize].copy_from_slice(part);
            }
        }
        page
    }

    /// Whether so many bytes at an address are of the table.
    pub(super) fn in_table(&self, address: u64, size: usize) -> bool {
        self.tables.iter().any(|&(start, end)| address >= start && address.saturating_add(size as u64) <= end)
    }

    /// The words of the table.
    pub(super) fn slots(&self, width: usize) -> impl Iterator<Item = u64> {
        self.tables.iter().flat_map(move |&(start, end)| (start..end).step_by(width))
    }

    /// How many stubs were followed.
    pub(crate) fn followed(&self) -> usize {
        self.followed.borrow().len()
    }

    /// Whether an address is in what came from the objects.
    pub(crate) fn is_input(&self, address: u64) -> bool {
        let behind = self.inputs.partition_point(|&(start, _)| start <= address);
        // Blocks do not overlap, but empty ones may stand in others.
        self.inputs[..behind].iter().rev().take(4).any(|&(start, size)| address - start < size)
    }
}

/// Whether a section is a part of the index.
pub(super) fn is_index(graph: &LinkGraph<'_>, section: SectionId) -> bool {
    let section = &graph.sections[section];
    let stem = graph.arch.unwind_index().map(|index| index.section);
    section.kind == Kind::LinkOrder && stem.is_some_and(|stem| section.name.starts_with(stem))
}
