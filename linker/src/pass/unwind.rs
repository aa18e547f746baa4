//! The index of unwinding tables, where the architecture has one: it is searched for the last entry at or below an
//! address, so code without an entry needs one that says so, and so does the end of all code.

use rustc_hash::FxHashSet;

use crate::arch::UnwindIndex;
use crate::defined::belongs;
use crate::field::Unit;
use crate::graph::{Content, Definition, Edge, End, Extent, Flags, Kind, LinkGraph};
use crate::index::{BlockId, SectionId, SymbolId};
use crate::memory::{Lifetime, Protection};

/// Adds the entries that are missing, if there is an index at all.
pub(crate) fn run(graph: &mut LinkGraph<'_>) {
    let Some(index) = graph.arch.unwind_index() else { return };
    let is_live = |section: SectionId| graph.sections[section].block_ids().any(|block| graph.blocks[block].live);
    let entries = graph.sections.iter().filter(|(id, section)| {
        section.kind == Kind::LinkOrder && belongs(section.name, index.section) && is_live(*id)
    });
    let described: FxHashSet<SectionId> = entries.filter_map(|(_, section)| section.link).collect();
    if described.is_empty() {
        return;
    }
    let gaps: Vec<BlockId> = graph
        .blocks
        .iter()
        .filter(|(_, block)| {
            let section = &graph.sections[block.section];
            let is_code = section.protection.executable() && section.lifetime == Lifetime::Standard;
            block.live && is_code && block.content.size() > 0 && !described.contains(&block.section)
        })
        .map(|(id, _)| id)
        .collect();
    for block in gaps {
        let start = graph.make_symbol(block, 0, 0, Flags::default());
        let section = graph.blocks[block].section;
        add(graph, index, start, Some(section));
    }
    let end = graph.make_symbol(BlockId::default(), 0, 0, Flags::default());
    graph.symbols[end].definition = Definition::Bound(Extent::Segments(Protection::ReadExecute), End::Stop);
    add(graph, index, end, None);
}

fn add(graph: &mut LinkGraph<'_>, index: &'static UnwindIndex, start: SymbolId, about: Option<SectionId>) {
    let Some(kind) = graph.arch.row(index.row) else { return };
    let mut entry = vec![0; 8];
    let _ = Unit::Data32.write(&mut entry[4..], index.gap.into(), graph.target.big_endian);
    let content = Content::Owned(entry);
    let block = graph.make_block(index.section, Protection::Read, false, content, 4);
    let section = graph.blocks[block].section;
    graph.sections[section].kind = Kind::LinkOrder;
    graph.sections[section].link = about;
    graph.append_edge(Edge { addend: 0, offset: 0, target: start, block, kind });
}
