//! Functions that choose themselves: an IFUNC symbol names a resolver, which returns the address of the function to use.
//!
//! Everything that refers to such a symbol, call or pointer, gets the address of one stub, so that all pointers to it are
//! equal. The stub jumps through a slot. Finalization fills the slot with what the resolver returns, or start-up code of the
//! program does, which has an IRELATIVE relocation for each (SYSVABI64 and the GNU extension for IFUNC): slot and resolver.

use crate::arch::Irelative;
use crate::graph::{Binding, Content, Definition, Edge, Flags, IFUNC_STUB, LinkGraph};
use crate::index::{Id, SymbolId};
use crate::memory::Protection;

/// An IFUNC symbol, which is at its stub now, the slot of the stub and the resolver that fills it.
#[derive(Clone, Copy, Debug)]
pub struct Ifunc {
    /// The symbol.
    pub symbol: SymbolId,
    /// The function to call: a symbol of the same name.
    pub resolver: SymbolId,
    /// A symbol at the slot.
    pub slot: SymbolId,
}

/// Makes slot and stub for each IFUNC symbol that a live edge refers to, or a root is.
/// `relocates_itself`: the program fills the slots.
pub(crate) fn run(graph: &mut LinkGraph<'_>, roots: &[SymbolId], relocates_itself: bool) -> Vec<Ifunc> {
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
        if relocates_itself && graph.arch.irelative().in_place {
            let kind = graph.arch.pointer();
            graph.append_edge(Edge { addend: 0, offset: 0, target: resolver, block: slot, kind });
        }
        let slot = graph.make_symbol(slot, 0, width as u64, Flags::default());

        let shape = graph.arch.indirect_stub(graph.demands());
        let content = Content::Owned(shape.code.to_vec());
        let stub = graph.make_block(IFUNC_STUB, Protection::ReadExecute, false, content, 8);
        graph.mapping.extend(shape.mapping.iter().map(|&(offset, bytes)| (stub, offset, bytes)));
        graph.fill_stub(stub, shape, slot, 0);

        let symbol = &mut graph.symbols[id];
        symbol.definition = Definition::Block(stub, 0);
        symbol.size = shape.code.len() as u64;
        symbol.flags = symbol.flags.without(Flags::IFUNC).without(Flags::THUMB);
        if shape.thumb {
            symbol.flags = symbol.flags.with(Flags::THUMB);
        }
        made.push(Ifunc { symbol: id, resolver, slot });
    }
    if relocates_itself && !made.is_empty() {
        make_entries(graph, &made);
    }
    made
}

/// Makes the relocations that start-up code goes through.
fn make_entries(graph: &mut LinkGraph<'_>, ifuncs: &[Ifunc]) {
    let Irelative { number, section, in_place } = graph.arch.irelative();
    let (width, kind) = (graph.target.pointer_bytes(), graph.arch.pointer());
    let words = if in_place { 2 } else { 3 };
    let content = Content::Owned(vec![0; ifuncs.len() * words * width]);
    let table = graph.make_block(section, Protection::Read, false, content, width as u64);
    for (index, ifunc) in ifuncs.iter().enumerate() {
        let first = index * words;
        let mut word = |at: usize, target: SymbolId| {
            let offset = ((first + at) * width) as u32;
            graph.append_edge(Edge { addend: 0, offset, target, block: table, kind });
        };
        word(0, ifunc.slot);
        if !in_place {
            word(2, ifunc.resolver);
        }
        // r_info: symbol 0, and the number in its low bits.
        graph.set_word(table, first + 1, number.into());
    }
}
