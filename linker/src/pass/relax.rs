//! Relaxation: instructions that find something out at run time which is known at link time become others that do less.
//!
//! An architecture says what the instruction under an edge becomes; the edge gets the row that fills the new instruction,
//! and the new instruction stands in [`LinkGraph::rewritten`] until it is fixed up.

use crate::arch::Rewritten;
use crate::graph::{LinkGraph, Rewrite};
use crate::index::EdgeId;
use crate::pass::got;
use crate::relocation::Class;

/// Accesses to thread-local variables. Before tables are made: what is relaxed needs no entry.
pub(crate) fn thread_local(graph: &mut LinkGraph<'_>) {
    if !graph.sections.iter().any(|(_, section)| section.thread_local) {
        return;
    }
    let image: u64 = graph
        .blocks
        .iter()
        .filter(|(_, block)| block.live && graph.sections[block.section].thread_local)
        .map(|(_, block)| block.content.size() + block.alignment)
        .sum();
    let mut list = Vec::new();
    graph.arch.relax_thread_local(graph, image, &mut list);
    rewrite(graph, list);
}

/// Loads from the global offset table. Once all addresses are known: what is computed has to be in reach.
pub(crate) fn got_loads(graph: &mut LinkGraph<'_>) {
    let mut list = Vec::new();
    graph.arch.relax_got_loads(graph, &mut list);
    rewrite(graph, list);
}

/// Calls by way of descriptors, which are no relaxation: each becomes a plain call of the linker's own code.
pub(crate) fn descriptor_calls(graph: &mut LinkGraph<'_>) {
    let mut calls = Vec::new();
    for (id, edge) in graph.live_edges_of(Class::Tls) {
        if let Some(number) = graph.arch.descriptor_call(graph.row(edge)) {
            calls.push((id, number, graph.word_under(id).unwrap_or(0), -graph.arch.pc_bias(graph.row(edge))));
        }
    }
    if calls.is_empty() {
        return;
    }
    let trampoline = got::make_code(graph, b".tlsdesc", graph.arch.trampoline(graph.demands()));
    let becomes = |(id, number, word, addend)| (id, Rewritten { number, word, target: Some((trampoline, addend)) });
    rewrite(graph, calls.into_iter().map(becomes).collect());
}

fn rewrite(graph: &mut LinkGraph<'_>, list: Vec<(EdgeId, Rewritten)>) {
    for (id, new) in list {
        let Some(kind) = graph.arch.row(new.number) else { continue };
        let edge = &mut graph.edges[id];
        graph.rewritten.push(Rewrite { edge: id, was: edge.kind, word: new.word });
        edge.kind = kind;
        if let Some((target, addend)) = new.target {
            (edge.target, edge.addend) = (target, addend);
        }
    }
    graph.rewritten.sort_by_key(|rewrite| rewrite.edge);
}
