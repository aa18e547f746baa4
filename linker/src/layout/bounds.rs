//! The bounds of what layout decides: sections of a name, segments, the whole image.

use rustc_hash::FxHashMap;

use super::{Plan, Planned};
use crate::defined::belongs;
use crate::graph::{Definition, End, Extent, LinkGraph, is_identifier};
use crate::memory::Lifetime;

impl Plan {
    /// Takes the addresses that memory gave, and turns bounds into addresses.
    pub(crate) fn settle(&mut self, graph: &mut LinkGraph<'_>, address: impl Fn(usize) -> u64) {
        for (index, segment) in self.segments.iter_mut().enumerate() {
            let moved = address(index).wrapping_sub(segment.address);
            segment.address = address(index);
            for &block in &segment.blocks {
                let old = graph.blocks[block].address;
                graph.blocks[block].address = graph.target.wrap(old.wrapping_add(moved));
            }
        }
        let named = named_spans(graph);
        for id in graph.symbols.ids() {
            if let Definition::Bound(extent, end) = graph.symbols[id].definition {
                let known = match extent {
                    Extent::Sections(name) if is_identifier(name) => named.get(name).copied(),
                    _ => None,
                };
                let (start, stop) = known.unwrap_or_else(|| self.bounds(graph, extent));
                let address = if end == End::Start { start } else { stop };
                graph.symbols[id].definition = Definition::Absolute(graph.target.wrap(address));
            }
        }
    }

    /// First byte of an extent, and the byte behind its last. An empty one is at the first segment.
    pub fn bounds(&self, graph: &LinkGraph<'_>, extent: Extent<'_>) -> (u64, u64) {
        let loaded = || self.segments.iter().filter(|segment| segment.lifetime == Lifetime::Standard);
        let segments = |wanted: &dyn Fn(&Planned) -> Option<(u64, u64)>| join_spans(loaded().filter_map(wanted));
        let found = match extent {
            Extent::Sections(name) => join_spans(
                graph
                    .blocks
                    .iter()
                    .filter(|(_, block)| block.live && belongs(graph.sections[block.section].name, name))
                    .map(|(_, block)| span(block.address, block.content.size())),
            ),
            Extent::Got => graph.got.map(|got| (graph.blocks[got].address, graph.blocks[got].address)),
            Extent::Image => segments(&|segment| Some(span(segment.address, segment.size))),
            Extent::Segments(protection) => {
                segments(&|segment| (segment.protection == protection).then_some(span(segment.address, segment.size)))
            }
            // By block, so that it does not matter how segments are cut.
            Extent::Content => segments(&|segment| {
                let blocks = segment.blocks.iter().map(|&block| &graph.blocks[block]);
                let content = blocks.filter(|block| segment.protection.writable() && !block.content.is_zero());
                join_spans(content.map(|block| span(block.address, block.content.size())))
            }),
            Extent::Zero => segments(&|segment| {
                let blocks = segment.blocks.iter().rev().map(|&block| &graph.blocks[block]);
                let zero = blocks.take_while(|block| segment.protection.writable() && block.content.is_zero());
                let zero = zero.filter(|block| block.content.size() > 0);
                join_spans(zero.map(|block| span(block.address, block.content.size())))
            }),
        };
        let origin = loaded().map(|segment| segment.address).min().unwrap_or(0);
        found.unwrap_or((origin, origin))
    }
}

/// The bounds of all live sections of a name, for the names whose bounds anybody may ask for.
fn named_spans<'data>(graph: &LinkGraph<'data>) -> FxHashMap<&'data [u8], (u64, u64)> {
    let mut by_name: FxHashMap<&[u8], (u64, u64)> = FxHashMap::default();
    if !graph.symbols.iter().any(|(_, symbol)| matches!(symbol.definition, Definition::Bound(Extent::Sections(_), _))) {
        return by_name;
    }
    for (_, block) in graph.blocks.iter().filter(|(_, block)| block.live) {
        let section = &graph.sections[block.section];
        if section.has_identifier_name() {
            let one = span(block.address, block.content.size());
            let all = by_name.entry(section.name).or_insert(one);
            *all = (all.0.min(one.0), all.1.max(one.1));
        }
    }
    by_name
}

/// Start and end of so many bytes.
fn span(start: u64, size: u64) -> (u64, u64) {
    (start, start.wrapping_add(size))
}

fn join_spans(spans: impl Iterator<Item = (u64, u64)>) -> Option<(u64, u64)> {
    spans.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}
