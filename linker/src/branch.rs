//! The target of a branch as the branch sees it, and the addend of one that goes through a stub.

use crate::arch::Destination;
use crate::graph::{Edge, Flags, LinkGraph};
use crate::index::SymbolId;
use crate::relocation::{Class, Row};

/// What a branch to this symbol finds.
pub(crate) fn destination(graph: &LinkGraph<'_>, symbol: SymbolId) -> Destination {
    let flags = graph.symbols[symbol].flags;
    Destination { thumb: flags.has(Flags::FUNCTION).then_some(flags.has(Flags::THUMB)) }
}

/// How far behind its target a stub leads. The addend of a branch is where in its target it goes, less what the program
/// counter is ahead; that of a datum says what the datum counts from, and stays with it.
pub(crate) fn stub_addend(graph: &LinkGraph<'_>, row: &Row, edge: &Edge) -> i64 {
    if row.class == Class::Branch { edge.addend.wrapping_add(graph.arch.pc_bias(row)) } else { 0 }
}

/// The addend of an edge that goes through a stub.
pub(crate) fn addend_through(graph: &LinkGraph<'_>, row: &Row, edge: &Edge) -> i64 {
    edge.addend.wrapping_sub(stub_addend(graph, row, edge))
}
