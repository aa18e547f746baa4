//! The index of unwinding tables, where the architecture has one: it is searched for the last entry at or below an
//! address, so code without an entry needs one that says so, and so does the end of all code.

use rustc_hash::FxHashSet;

use crate::arch::UnwindIndex;
use crate::field::Unit;
use crate::graph::{Block, Content, Definition, Edge, End, Extent, Flags, Kind, LinkGraph};
use crate::index::{BlockId, SectionId, SymbolId};
use crate::layout::Plan;
use crate::memory::{Lifetime, Protection};
use crate::relocation::Inputs;

/// Adds the entries that are missing, if there is an index at all.
pub(crate) fn run(graph: &mut LinkGraph<'_>) {
    let Some(index) = graph.arch.unwind_index() else { return };
    let is_live = |section: SectionId| graph.sections[section].block_ids().any(|block| graph.blocks[block].live);
    let entries = graph.sections.iter().filter(|(id, section)| {
        section.kind == Kind::LinkOrder && graph.output(section) == index.section && is_live(*id)
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

/// Lets go of entries made here whose code is out of their reach: nobody asked for them, so that they do not fit is no
/// error. Such code has no entry then, as with GNU ld. The end is marked where it can be: behind the last code in reach.
/// Whether there were any.
pub(crate) fn let_go(graph: &mut LinkGraph<'_>, plan: &mut Plan) -> bool {
    let Some(index) = graph.arch.unwind_index() else { return false };
    let Some(row) = graph.arch.row(index.row).map(|row| graph.row_of(row)) else { return false };
    let made: Vec<BlockId> = graph
        .sections
        .iter()
        .filter(|(_, section)| section.is_made() && section.kind == Kind::LinkOrder && section.name == index.section)
        .filter_map(|(_, section)| section.block_ids().next().filter(|&block| graph.blocks[block].live))
        .collect();
    let narrow = graph.target.register_bits == 32;
    let fits = |graph: &LinkGraph<'_>, block: BlockId, s: u64| {
        row.check.allows(row.operation.evaluate(&Inputs {
            s,
            p: graph.blocks[block].address,
            narrow,
            ..Inputs::default()
        }))
    };
    let mut changed = false;
    for block in made {
        let Some(edge) = graph.edges_of(block).first() else { continue };
        let target = edge.target;
        if let Some(s) = graph.address(target) {
            if !fits(graph, block, s) {
                graph.blocks[block].live = false;
                changed = true;
            }
            continue;
        }
        let end = plan.bounds(graph, Extent::Segments(Protection::ReadExecute)).1;
        if !fits(graph, block, end) {
            let code = |(_, b): &(BlockId, &Block<'_>)| b.live && graph.sections[b.section].protection.executable();
            let ends = graph.blocks.iter().filter(code).map(|(id, b)| (b.address.wrapping_add(b.content.size()), id));
            match ends.filter(|&(end, _)| fits(graph, block, end)).max() {
                Some((_, last)) => {
                    let size = graph.blocks[last].content.size();
                    graph.symbols[target].definition = Definition::Block(last, size);
                }
                None => graph.blocks[block].live = false,
            }
            changed = true;
        }
    }
    if changed {
        plan.let_go(graph);
    }
    changed
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
