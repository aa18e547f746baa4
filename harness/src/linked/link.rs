//! What our linker linked.

use linker::graph::{Binding, Block, Definition, Extent, LinkGraph};
use linker::index::BlockId;
use linker::link::Finalized;
use linker::memory::Lifetime;

use super::symbols::Symbols;
use super::{Linked, Piece, Routines, Segment, Symbol};

impl<'data> Linked<'data> {
    /// A link of ours that is in memory.
    pub fn of_link<H>(linked: &Finalized<'data, H>) -> Linked<'data> {
        let graph = linked.graph();
        let loaded = linked.plan().segments.iter().filter(|segment| segment.lifetime == Lifetime::Standard);
        let segments = loaded.map(|segment| Segment {
            address: segment.address,
            size: segment.size,
            protection: segment.protection,
        });
        let mut mapping: Vec<_> = graph
            .mapping
            .iter()
            .filter(|(block, ..)| graph.blocks[*block].live)
            .map(|&(block, offset, bytes)| (graph.blocks[block].address.wrapping_add(offset), bytes))
            .collect();
        mapping.sort_by_key(|entry| entry.0);
        Linked {
            target: graph.target,
            segments: segments.collect(),
            entry: linked.address("_start"),
            thread_local: linked.thread_local(),
            routines: routines(linked),
            pieces: pieces(linked),
            unbound: Vec::new(),
            symbols: Symbols::new(symbols(graph)),
            mapping,
        }
    }
}

fn symbols<'data>(graph: &LinkGraph<'data>) -> Vec<Symbol<'data>> {
    let known = graph.symbols.iter().filter(|(_, symbol)| !symbol.name.is_empty());
    let symbols = known.filter_map(|(id, symbol)| {
        let block = match symbol.definition {
            Definition::Block(block, _) if !graph.blocks[block].live => return None,
            Definition::Block(block, _) => Some(block),
            _ => None,
        };
        Some(Symbol {
            name: symbol.name,
            address: graph.address(id)?,
            size: symbol.size,
            flags: symbol.flags,
            global: symbol.binding != Binding::Local,
            placed: block.is_some(),
        })
    });
    symbols.collect()
}

fn pieces<'data, H>(linked: &Finalized<'data, H>) -> Vec<Piece<'data>> {
    let (graph, plan) = (linked.graph(), linked.plan());
    let loaded = |block: &Block<'_>| {
        let segment = plan.segments.get(block.segment as usize);
        block.live && block.content.size() > 0 && segment.is_some_and(|segment| segment.lifetime == Lifetime::Standard)
    };
    let live = graph.blocks.iter().filter(|(_, block)| loaded(block));
    let pieces = live.map(|(_, block)| {
        let section = &graph.sections[block.section];
        Piece {
            address: block.address,
            size: block.content.size(),
            object: graph.objects[section.object].clone(),
            section: section.name,
            number: section.ordinal,
            offset: block.origin,
        }
    });
    pieces.collect()
}

fn routines<H>(linked: &Finalized<'_, H>) -> Routines {
    let array = |name: &str| {
        let (start, stop) = linked.plan().bounds(linked.graph(), Extent::Sections(name.as_bytes()));
        start..stop
    };
    Routines {
        preinit_array: array(".preinit_array"),
        init: of_section(linked, "_init", b".init"),
        init_array: array(".init_array"),
        fini_array: array(".fini_array"),
        fini: of_section(linked, "_fini", b".fini"),
    }
}

/// The address of a function that an input defines in this section, as pieces of it make one function.
fn of_section<H>(linked: &Finalized<'_, H>, name: &str, section: &[u8]) -> Option<u64> {
    let graph = linked.graph();
    let Definition::Block(block, _) = graph.symbols[linked.symbol(name)?].definition else { return None };
    let is_there =
        |block: BlockId| graph.blocks[block].live && graph.sections[graph.blocks[block].section].name == section;
    linked.address(name).filter(|_| is_there(block))
}
