//! Symbol resolution: one symbol for each global name.
//!
//! A strong definition beats a common one, a common one beats a weak one, and any of them beats a reference. Two strong
//! definitions are an error. Of several common ones the largest size and the largest alignment count. The visibility is
//! the most constraining that any object gives. The caller may turn references to a name to another one (`--wrap`), and let
//! the first of several strong definitions count (`--allow-multiple-definition`).

use rustc_hash::{FxHashMap, FxHashSet};

use crate::error::{Error, Result, Site, text};
use crate::graph::{Binding, Definition, LinkGraph, Symbol, linker};
use crate::index::SymbolId;

/// The global names of a link.
#[derive(Debug, Default)]
pub(crate) struct Names<'data> {
    globals: FxHashMap<&'data [u8], SymbolId>,
    /// Names that references are turned to another name by: what is looked for, and what is taken.
    redirected: FxHashMap<&'data [u8], &'data [u8]>,
    /// Whether of several strong definitions the first one counts.
    allow_duplicates: bool,
    /// Signatures of the section groups seen.
    pub(crate) groups: FxHashSet<&'data [u8]>,
}

/// How much a definition counts.
fn rank(symbol: &Symbol<'_>) -> u8 {
    match (symbol.definition, symbol.binding) {
        (Definition::Undefined | Definition::Discarded, _) => 0,
        (Definition::Common(..), _) => 2,
        (_, Binding::Weak) => 1,
        // What the caller defines stands in for what no object defines.
        _ if symbol.owner == linker() => 1,
        _ => 3,
    }
}

impl<'data> Names<'data> {
    /// No names yet.
    pub(crate) fn new(allow_duplicates: bool) -> Self {
        Names { allow_duplicates, ..Names::default() }
    }

    /// The symbol of this name.
    pub(crate) fn get(&self, name: &[u8]) -> Option<SymbolId> {
        self.globals.get(name).copied()
    }

    /// From now on undefined references to `from` are references to `to`.
    pub(crate) fn redirect(&mut self, from: &'data [u8], to: &'data [u8]) {
        self.redirected.insert(from, to);
    }

    /// All symbols, in order.
    pub(crate) fn all(&self) -> Vec<SymbolId> {
        let mut all: Vec<SymbolId> = self.globals.values().copied().collect();
        all.sort();
        all
    }

    /// The symbol of the name of `new`, which has taken `new` into account.
    pub(crate) fn resolve(&mut self, graph: &mut LinkGraph<'data>, mut new: Symbol<'data>) -> Result<SymbolId> {
        if new.is_undefined()
            && let Some(&to) = self.redirected.get(new.name)
        {
            new.name = to;
        }
        let id = *self.globals.entry(new.name).or_insert_with(|| graph.symbols.next());
        if id == graph.symbols.next() {
            return Ok(graph.symbols.push(new));
        }
        let old = &graph.symbols[id];
        let visibility = old.visibility.max(new.visibility);
        match (rank(old), rank(&new)) {
            (3, 3) if self.allow_duplicates => {}
            (3, 3) => {
                return Err(Error::Duplicate {
                    name: text(new.name),
                    first: Box::new(defined_at(graph, old)),
                    second: Box::new(defined_at(graph, &new)),
                });
            }
            (2, 2) => {
                if let (Definition::Common(a, x), Definition::Common(b, y)) = (old.definition, new.definition) {
                    graph.symbols[id].definition = Definition::Common(a.max(b), x.max(y));
                    graph.symbols[id].size = a.max(b);
                }
            }
            (0, 0) => {
                // A reference may know that it is to a function.
                let flags = old.flags.with(new.flags);
                graph.symbols[id].flags = flags;
                // The strictest reference decides whether the symbol may stay undefined.
                if new.binding == Binding::Strong {
                    graph.symbols[id].binding = Binding::Strong;
                    graph.symbols[id].owner = new.owner;
                }
            }
            // What the caller defines gives way to any object, in either order.
            (1, 1) if old.owner == linker() && new.owner != linker() => graph.symbols[id] = new,
            (old, new_rank) if new_rank > old => graph.symbols[id] = new,
            _ => {}
        }
        graph.symbols[id].visibility = visibility;
        Ok(id)
    }
}

fn defined_at(graph: &LinkGraph<'_>, symbol: &Symbol<'_>) -> Site {
    match symbol.definition {
        Definition::Block(block, offset) => Site {
            offset: Some(graph.blocks[block].origin + offset),
            ..Site::section(graph, graph.blocks[block].section)
        },
        _ => Site::file(graph, symbol.owner),
    }
}
