//! The bounds of what layout decides: output sections, segments, the whole image.
//!
//! What is empty is where it would be: behind all that comes before it in the order of classes. So with no `.bss` it begins
//! and ends behind the data, and clearing it clears nothing.

use super::output::BSS;
use super::{Class, Plan, Planned, Unit};
use crate::graph::{Definition, End, Extent, LinkGraph};
use crate::hash::NameMap;
use crate::memory::{Lifetime, Protection};

/// Output sections that are known by name, and where they are if they are empty.
const KNOWN: &[(&[u8], Class)] = &[
    (b".init_array", Class::Relro),
    (b".fini_array", Class::Relro),
    (b".preinit_array", Class::Relro),
    (b".eh_frame", Class::Read),
    (b".rela.iplt", Class::Read),
    (b".rel.iplt", Class::Read),
];

impl Plan {
    /// Takes the addresses that memory gave, and turns bounds into addresses.
    pub(crate) fn settle(&mut self, graph: &mut LinkGraph<'_>, address: impl Fn(usize) -> u64) {
        // What is never loaded has its addresses from 0 on, whatever the memory says.
        let loaded = |(_, segment): &(usize, &mut Planned)| segment.lifetime == Lifetime::Standard;
        for (index, segment) in self.segments.iter_mut().enumerate().filter(loaded) {
            let moved = address(index).wrapping_sub(segment.address);
            segment.address = address(index);
            if moved == 0 {
                continue;
            }
            for &block in &segment.blocks {
                let old = graph.blocks[block].address;
                graph.blocks[block].address = graph.target.wrap(old.wrapping_add(moved));
            }
        }
        let bounds = |symbol: &crate::graph::Symbol<'_>| matches!(symbol.definition, Definition::Bound(..));
        if !graph.symbols.iter().any(|(_, symbol)| bounds(symbol)) {
            return;
        }
        let named = self.named(graph);
        for id in graph.symbols.ids() {
            if let Definition::Bound(extent, end) = graph.symbols[id].definition {
                let known = if let Extent::Sections(name) = extent { named.get(name).copied() } else { None };
                let (start, stop) = known.unwrap_or_else(|| self.bounds(graph, extent));
                let address = if end == End::Start { start } else { stop };
                graph.symbols[id].definition = Definition::Absolute(graph.target.wrap(address));
            }
        }
    }

    /// First byte of an extent, and the byte behind its last.
    pub fn bounds(&self, graph: &LinkGraph<'_>, extent: Extent<'_>) -> (u64, u64) {
        let segments = |wanted: &dyn Fn(&Planned) -> bool| {
            let loaded =
                self.segments.iter().filter(|segment| segment.lifetime == Lifetime::Standard && wanted(segment));
            join_spans(loaded.map(|segment| span(segment.address, segment.size)))
        };
        let units = |wanted: &dyn Fn(&Unit) -> bool| {
            join_spans(self.units.iter().filter(|unit| wanted(unit)).filter_map(|unit| self.extent(graph, unit)))
        };
        let found = match extent {
            Extent::Sections(name) => units(&|unit| unit.output(graph) == name),
            Extent::Got => graph.got.map(|got| (graph.blocks[got].address, graph.blocks[got].address)),
            Extent::ThreadLocal => self.thread_local(graph).map(|image| span(image.address, image.size)),
            Extent::Image => segments(&|_| true),
            Extent::Headers => graph.headers.map(|block| {
                let block = &graph.blocks[block];
                span(block.address, block.content.size())
            }),
            Extent::Segments(protection) => segments(&|segment| segment.protection == protection),
            Extent::Content => units(&|unit| unit.class == Class::Write && !unit.zero),
            Extent::Zero => units(&|unit| unit.class == Class::Write && unit.zero && unit.output(graph) == BSS),
        };
        found.unwrap_or_else(|| {
            let here = match extent {
                Extent::Sections(name) => {
                    let is_index = graph.arch.unwind_index().is_some_and(|index| index.section == name);
                    let known = KNOWN.iter().find(|known| known.0 == name).map(|known| known.1);
                    self.end_of(graph, known.unwrap_or(if is_index { Class::Read } else { Class::Write }))
                }
                Extent::Segments(Protection::ReadExecute) => self.end_of(graph, Class::Code),
                Extent::Segments(Protection::Read) | Extent::Got | Extent::ThreadLocal => {
                    self.end_of(graph, Class::Relro)
                }
                Extent::Segments(Protection::ReadWrite)
                | Extent::Content
                | Extent::Zero
                | Extent::Image
                | Extent::Headers => self.end_of_content(graph),
            };
            (here, here)
        })
    }

    /// The bounds of all output sections.
    fn named<'data>(&self, graph: &LinkGraph<'data>) -> NameMap<&'data [u8], (u64, u64)> {
        let mut named: NameMap<&[u8], (u64, u64)> = NameMap::default();
        for unit in self.units.iter().filter(|unit| unit.class != Class::NoAlloc) {
            if let Some(one) = self.extent(graph, unit) {
                let all = named.entry(unit.output(graph)).or_insert(one);
                *all = (all.0.min(one.0), all.1.max(one.1));
            }
        }
        named
    }

    /// Where a unit is, if something of it is left. Tables in link order are not in the order of their sections.
    pub(super) fn extent(&self, graph: &LinkGraph<'_>, unit: &Unit) -> Option<(u64, u64)> {
        let blocks = unit.live_blocks(graph).map(|block| &graph.blocks[block]);
        join_spans(blocks.map(|block| span(block.address, block.content.size())))
    }

    /// The byte behind the last one of the last class up to this one that is not empty; the start of the image where all are.
    fn end_of(&self, graph: &LinkGraph<'_>, class: Class) -> u64 {
        let before = || self.units.iter().filter(|unit| unit.class <= class);
        let last = before().map(|unit| unit.class).max();
        let of_last = before().filter(|unit| Some(unit.class) == last);
        let stop = of_last.filter_map(|unit| self.extent(graph, unit)).map(|span| span.1).max();
        stop.unwrap_or_else(|| self.bounds_of_image().0)
    }

    /// Where zero-fill would begin that is cleared up to the end of the image: behind all that has content.
    fn end_of_content(&self, graph: &LinkGraph<'_>) -> u64 {
        let content = self.units.iter().filter(|unit| unit.class != Class::NoAlloc && !unit.zero);
        let stop = content.filter_map(|unit| self.extent(graph, unit)).map(|span| span.1).max();
        stop.unwrap_or_else(|| self.bounds_of_image().1)
    }

    fn bounds_of_image(&self) -> (u64, u64) {
        let loaded = self.segments.iter().filter(|segment| segment.lifetime == Lifetime::Standard);
        join_spans(loaded.map(|segment| span(segment.address, segment.size))).unwrap_or((0, 0))
    }
}

/// Start and end of so many bytes.
fn span(start: u64, size: u64) -> (u64, u64) {
    (start, start.wrapping_add(size))
}

fn join_spans(spans: impl Iterator<Item = (u64, u64)>) -> Option<(u64, u64)> {
    spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}
