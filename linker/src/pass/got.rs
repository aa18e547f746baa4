//! The global offset table: one pointer for each thing that an edge wants to find there.
//!
//! Entries are keyed by symbol, never by name, and where the formula is G(GDAT(S + A)) by the addend too. Equal keys
//! share an entry.

use rustc_hash::FxHashMap;

use crate::graph::{Content, Edge, Flags, LinkGraph, Made};
use crate::index::{EdgeId, SymbolId};
use crate::memory::Protection;
use crate::relocation::Term;

/// Makes the table, with the entries that live edges ask for.
pub(crate) fn run(graph: &mut LinkGraph<'_>) {
    let mut wanted: Vec<(EdgeId, SymbolId, i64)> = Vec::new();
    let mut needed = false;
    for (id, edge) in graph.live_edges() {
        let operation = &graph.row(edge).operation;
        needed |= operation.needs_got();
        if operation.needs_entry() {
            let addend = if operation.term == Term::GotOfSum { edge.addend } else { 0 };
            wanted.push((id, edge.target, addend));
        }
    }
    needed |= graph
        .symbols
        .iter()
        .any(|(_, symbol)| matches!(symbol.definition, crate::graph::Definition::Bound(crate::graph::Extent::Got, _)));
    if !needed {
        return;
    }
    let mut entries: FxHashMap<(SymbolId, i64), usize> = FxHashMap::default();
    let mut keys: Vec<(EdgeId, SymbolId, i64)> = Vec::new();
    for &(edge, target, addend) in &wanted {
        entries.entry((target, addend)).or_insert_with(|| {
            keys.push((edge, target, addend));
            keys.len() - 1
        });
    }
    let width = graph.target.pointer_bytes();
    let content = Content::Owned(vec![0; keys.len() * width]);
    let table = graph.make_block(b".got", Protection::Read, true, content, 8);
    graph.got = Some(table);
    let kind = graph.arch.pointer();
    let mut symbols = Vec::with_capacity(keys.len());
    for (index, &(_, target, addend)) in keys.iter().enumerate() {
        let offset = index * width;
        graph.append_edge(Edge { addend, offset: offset as u32, target, block: table, kind });
        symbols.push(graph.make_symbol(table, offset as u64, width as u64, Flags::default()));
    }
    graph.entries = wanted
        .iter()
        .map(|&(edge, target, addend)| {
            let index = entries[&(target, addend)];
            Made { edge, symbol: symbols[index], asked_by: keys[index].0 }
        })
        .collect();
}
