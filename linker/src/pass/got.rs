//! The global offset table: a word or two for each thing that an edge wants to find there.
//!
//! Entries are keyed by symbol, never by name, by what they hold, and where an object gives GDAT(S) an addend, by that
//! too. Equal keys share an entry.

use super::sign;
use crate::arch::{Resolver, Word};
use crate::graph::{Bytes, Content, Definition, Edge, Extent, Flags, LinkGraph, Made, Signature, nothing};
use crate::hash::NameMap;
use crate::index::{BlockId, EdgeId, SymbolId};
use crate::memory::Protection;
use crate::relocation::{Entry, Term};

type Key = (SymbolId, i64, Entry);

/// Makes the table, with the entries that live edges ask for.
pub(crate) fn run(graph: &mut LinkGraph<'_>) {
    let mut wanted: Vec<(EdgeId, Key)> = Vec::new();
    let mut needed = false;
    for (id, edge) in graph.live_edges() {
        let operation = &graph.row(edge).operation;
        needed |= operation.needs_got();
        if operation.needs_entry() {
            let addend = if operation.term == Term::GotOfSum { edge.addend } else { 0 };
            // All variables of a module have the same module.
            let key = if operation.entry == Entry::Module { (nothing(), 0) } else { (edge.target, addend) };
            wanted.push((id, (key.0, key.1, operation.entry)));
        }
    }
    let asks = |definition| matches!(definition, Definition::Bound(Extent::Got, _));
    needed |= graph.symbols.iter().any(|(_, symbol)| asks(symbol.definition));
    if !needed {
        return;
    }
    let mut entries: NameMap<Key, usize> = NameMap::default();
    let mut keys: Vec<(EdgeId, Key)> = Vec::new();
    for &(edge, key) in &wanted {
        // What points at a descriptor needs the descriptor.
        let behind = (key.2 == Entry::FunctionPointer).then_some((key.0, key.1, Entry::Function));
        for key in [Some(key), behind].into_iter().flatten() {
            entries.entry(key).or_insert_with(|| {
                keys.push((edge, key));
                keys.len() - 1
            });
        }
    }
    let needs_resolver = |key: &Key| matches!(key.2, Entry::Descriptor | Entry::SignedDescriptor);
    let resolver = keys
        .iter()
        .any(|(_, key)| needs_resolver(key))
        .then(|| make_code(graph, b".tlsdesc", graph.arch.resolver(graph.demands())));
    let width = graph.target.pointer_bytes();
    let words: usize = keys.iter().map(|(_, key)| key.2.words()).sum();
    let table = graph.make_block(b".got", Protection::Read, true, Content::Owned(vec![0; words * width]), 8);
    graph.got = Some(table);
    let mut symbols = Vec::with_capacity(keys.len());
    let mut at = 0;
    for &(_, key) in &keys {
        let words = key.2.words();
        symbols.push(graph.make_symbol(table, (at * width) as u64, (words * width) as u64, Flags::default()));
        let needs = fill(graph, table, at, key, resolver);
        wanted.extend(needs.map(|edge| (edge, (key.0, key.1, Entry::Function))));
        if let Some((signing, offset)) = sign::of_entry(graph, key.2, graph.symbols[key.0].flags) {
            let offset = (at * width) as u32 + offset;
            graph.signatures.push(Signature { block: table, offset, key: signing, discriminator: 0, diverse: true });
        }
        at += words;
    }
    graph.entries = wanted
        .iter()
        .map(|&(edge, key)| {
            let index = entries[&key];
            Made { edge, symbol: symbols[index], asked_by: keys[index].0 }
        })
        .collect();
}

/// Fills the entry whose first word is word `at` of the table. Gives the edge that needs an entry itself: the descriptor
/// of the same function.
fn fill(graph: &mut LinkGraph<'_>, table: BlockId, at: usize, key: Key, resolver: Option<SymbolId>) -> Option<EdgeId> {
    let (target, addend, entry) = key;
    let function = graph.arch.resolver(graph.demands()).word;
    let mut word = |at: usize, what: Word, target: SymbolId, addend: i64| {
        let offset = (at * graph.target.pointer_bytes()) as u32;
        graph.append_edge(Edge { addend, offset, target, block: table, kind: graph.arch.word(what) })
    };
    match entry {
        Entry::Address | Entry::Signed => {
            word(at, Word::Address, target, addend);
        }
        Entry::ThreadOffset => {
            word(at, Word::ThreadOffset, target, addend);
        }
        Entry::FunctionPointer => return Some(word(at, Word::Function, target, 0)),
        Entry::Function => {
            word(at, Word::Address, target, 0);
            let origin = graph.make_symbol(table, 0, 0, Flags::default());
            let kind = graph.arch.word(Word::Address);
            let offset = ((at + 1) * graph.target.pointer_bytes()) as u32;
            graph.append_edge(Edge { addend: 0, offset, target: origin, block: table, kind });
        }
        Entry::Variable => {
            word(at + 1, Word::BlockOffset, target, addend);
            graph.set_word(table, at, MODULE);
        }
        Entry::Module => graph.set_word(table, at, MODULE),
        Entry::Descriptor | Entry::SignedDescriptor => {
            let resolver = resolver.unwrap_or(nothing());
            let mut edges =
                [(function, Word::Address, resolver, 0), (1 - function, Word::ThreadOffset, target, addend)];
            edges.sort_by_key(|edge| edge.0);
            for (index, what, target, addend) in edges {
                word(at + index, what, target, addend);
            }
        }
    }
    None
}

/// The number of the module that is the program itself.
const MODULE: u64 = 1;

/// Code of the linker's own, as a function.
pub(super) fn make_code(graph: &mut LinkGraph<'_>, section: &'static [u8], code: &'static Resolver) -> SymbolId {
    let block = graph.make_block(section, Protection::ReadExecute, false, Content::Owned(code.code.to_vec()), 8);
    let flags = if code.thumb { Flags::FUNCTION.with(Flags::THUMB) } else { Flags::FUNCTION };
    graph.mapping.push((block, 0, if code.thumb { Bytes::Thumb } else { Bytes::Code }));
    graph.make_symbol(block, 0, code.code.len() as u64, flags)
}
