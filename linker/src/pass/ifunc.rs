//! Functions that choose themselves: an IFUNC symbol names a resolver, which returns the address of the function to use.
//!
//! Everything that refers to such a symbol, call or pointer, gets the address of one stub, so that all pointers to it are
//! equal. The stub jumps through a slot, and finalization fills the slot with what the resolver returns.

use crate::graph::{Binding, Content, Definition, Flags, LinkGraph};
use crate::index::{BlockId, Id, SymbolId};
use crate::memory::Protection;

/// A slot and the resolver that fills it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ifunc {
    /// The function to call.
    pub(crate) resolver: SymbolId,
    /// A symbol at the slot.
    pub(crate) slot: SymbolId,
}

/// Name of the sections that the stubs stand in.
const STUB: &[u8] = b".iplt";

/// Whether a block is the stub of an IFUNC symbol.
pub(crate) fn is_stub(graph: &LinkGraph<'_>, block: BlockId) -> bool {
    let section = &graph.sections[graph.blocks[block].section];
    section.is_made() && section.name == STUB
}

/// Makes slot and stub for each IFUNC symbol that a live edge refers to, or a root is.
pub(crate) fn run(graph: &mut LinkGraph<'_>, roots: &[SymbolId]) -> Vec<Ifunc> {
    if !graph.symbols.iter().any(|(_, symbol)| symbol.flags.has(Flags::IFUNC)) {
        return Vec::new();
    }
    let mut wanted = vec![false; graph.symbols.len()];
    let edges = graph.live_edges().map(|(_, edge)| edge.target);
    edges.chain(roots.iter().copied()).for_each(|id| wanted[id.index()] = true);
    let mut made = Vec::new();
    for id in graph.symbols.ids() {
        let symbol = &graph.symbols[id];
        // Debug information may describe one that is not part of the link.
        let placed = match symbol.definition {
            Definition::Block(block, _) => graph.blocks[block].live,
            Definition::Absolute(_) => true,
            _ => false,
        };
        if !symbol.flags.has(Flags::IFUNC) || !wanted[id.index()] || !placed {
            continue;
        }
        let mut resolver = symbol.clone();
        resolver.binding = Binding::Local;
        resolver.flags = resolver.flags.without(Flags::IFUNC);
        let resolver = graph.symbols.push(resolver);

        let width = graph.target.pointer_bytes();
        let slot = graph.make_block(b".igot", Protection::Read, true, Content::Owned(vec![0; width]), width as u64);
        let slot = graph.make_symbol(slot, 0, width as u64, Flags::default());

        let shape = graph.arch.indirect_stub(graph.demands());
        let content = Content::Owned(shape.code.to_vec());
        let stub = graph.make_block(STUB, Protection::ReadExecute, false, content, 8);
        graph.mapping.extend(shape.mapping.iter().map(|&(offset, bytes)| (stub, offset, bytes)));
        graph.fill_stub(stub, shape, slot, 0);

        let symbol = &mut graph.symbols[id];
        symbol.definition = Definition::Block(stub, 0);
        symbol.size = shape.code.len() as u64;
        symbol.flags = symbol.flags.without(Flags::IFUNC).without(Flags::THUMB);
        if shape.thumb {
            symbol.flags = symbol.flags.with(Flags::THUMB);
        }
        made.push(Ifunc { resolver, slot });
    }
    made
}
