//! Symbol resolution: one symbol for each global name.
//!
//! A strong definition beats a common one, a common one beats a weak one, and any of them beats a reference. Two strong
//! definitions are an error, unless both say the same number or the same place. Of several common ones the largest size
//! and the largest alignment count. The visibility is the most constraining that any object gives. The caller may turn
//! references to a name to another one (`--wrap`), and let the first of several strong definitions count
//! (`--allow-multiple-definition`).
//!
//! A name may carry a version, as `.symver` writes it. `f@@V` is the default version: it defines `f`, and what refers to
//! `f@V` means it, too. `f@V` is another version: only what refers to `f@V` means it.

use crate::error::{Error, Result, Site, text};
use crate::graph::{Binding, Definition, LinkGraph, Symbol, linker};
use crate::hash::{NameMap, NameSet};
use crate::index::{GroupId, Id, SymbolId};

/// What a name is looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key<'a> {
    stem: &'a [u8],
    /// Empty: no version in particular.
    version: &'a [u8],
}

impl<'a> Key<'a> {
    /// What a symbol of this name is known by: one key, and for a default version its version as another.
    #[inline]
    pub(crate) fn of(name: &'a [u8]) -> (Key<'a>, Option<Key<'a>>) {
        let plain = Key { stem: name, version: b"" };
        // A name that begins with the sign has no version: there would be nothing that has it.
        let Some(at) = memchr::memchr(b'@', name).filter(|&at| at > 0) else { return (plain, None) };
        let (stem, version) = (&name[..at], &name[at + 1..]);
        match version.strip_prefix(b"@") {
            Some(version) => {
                // What the assembler's `@@@` stands for when it is the default.
                let version = version.strip_prefix(b"@").unwrap_or(version);
                (Key { stem, version: b"" }, (!version.is_empty()).then_some(Key { stem, version }))
            }
            None if version.is_empty() => (plain, None),
            None => (Key { stem, version }, None),
        }
    }
}

/// The global names of a link.
#[derive(Debug, Default)]
pub(crate) struct Names<'data> {
    globals: NameMap<Key<'data>, SymbolId>,
    /// Names that references are turned to another name by: what is looked for, and what is taken.
    redirected: NameMap<&'data [u8], &'data [u8]>,
    /// Whether of several strong definitions the first one counts.
    allow_duplicates: bool,
    /// Signatures of the section groups seen.
    pub(crate) groups: NameSet<&'data [u8]>,
    /// How many section groups there are.
    group_count: usize,
    /// Names of the sections seen of which a link keeps the first one.
    pub(crate) once: NameSet<&'data [u8]>,
    /// For what is there once by either way: whose it is, and the flags of its only section.
    pub(crate) single: NameSet<(&'data [u8], u64)>,
    /// Symbols that became references which have to be met, or common, in that order. Some may have been defined since.
    pub(crate) wanted: Vec<SymbolId>,
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

fn is_common(symbol: &Symbol<'_>) -> bool {
    matches!(symbol.definition, Definition::Common(..))
}

/// Whether two strong definitions are one: the same number, or the same place under a plain and a versioned name.
fn is_same(old: &Symbol<'_>, new: &Symbol<'_>) -> bool {
    let absolute = matches!(new.definition, Definition::Absolute(_));
    old.definition == new.definition && (absolute || old.owner == new.owner)
}

impl<'data> Names<'data> {
    /// No names yet.
    pub(crate) fn new(allow_duplicates: bool) -> Self {
        Names { allow_duplicates, ..Names::default() }
    }

    /// The next section group.
    pub(crate) fn next_group(&mut self) -> GroupId {
        self.group_count += 1;
        GroupId::new(self.group_count - 1)
    }

    /// The symbol of this name.
    pub(crate) fn get(&self, name: &[u8]) -> Option<SymbolId> {
        self.globals.get(&Key::of(name).0).copied()
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
        let (key, version) = Key::of(new.name);
        if let Some(version) = version
            && !new.is_undefined()
        {
            self.enter(graph, version, new.clone())?;
        }
        self.enter(graph, key, new)
    }

    fn enter(&mut self, graph: &mut LinkGraph<'data>, key: Key<'data>, mut new: Symbol<'data>) -> Result<SymbolId> {
        if key.version.is_empty() {
            new.name = key.stem;
        }
        let id = *self.globals.entry(key).or_insert_with(|| graph.symbols.next());
        if id == graph.symbols.next() {
            if new.is_undefined() && new.binding == Binding::Strong || is_common(&new) {
                self.wanted.push(id);
            }
            return Ok(graph.symbols.push(new));
        }
        let old = &graph.symbols[id];
        let visibility = old.visibility.max(new.visibility);
        match (rank(old), rank(&new)) {
            (3, 3) if self.allow_duplicates || is_same(old, &new) => {}
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
                    if graph.symbols[id].binding != Binding::Strong {
                        self.wanted.push(id);
                    }
                    graph.symbols[id].binding = Binding::Strong;
                    graph.symbols[id].owner = new.owner;
                }
            }
            // What the caller defines gives way to any object, in either order.
            (1, 1) if old.owner == linker() && new.owner != linker() => graph.symbols[id] = new,
            (old, new_rank) if new_rank > old => {
                if is_common(&new) {
                    self.wanted.push(id);
                }
                graph.symbols[id] = new;
            }
            _ => {}
        }
        graph.symbols[id].visibility = visibility;
        Ok(id)
    }
}

fn defined_at(graph: &LinkGraph<'_>, symbol: &Symbol<'_>) -> Site {
    match symbol.definition {
        Definition::Block(block, offset) => Site {
            offset: Some(graph.blocks[block].origin.wrapping_add(offset)),
            ..Site::section(graph, graph.blocks[block].section)
        },
        _ => Site::file(graph, symbol.owner),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_versions() {
        let key =
            |stem: &'static str, version: &'static str| Key { stem: stem.as_bytes(), version: version.as_bytes() };
        for (name, expected) in [
            ("f", (key("f", ""), None)),
            ("f@V", (key("f", "V"), None)),
            ("f@@V", (key("f", ""), Some(key("f", "V")))),
            ("f@@@V", (key("f", ""), Some(key("f", "V")))),
            ("f@@", (key("f", ""), None)),
            ("f@", (key("f@", ""), None)),
            ("@feat.00", (key("@feat.00", ""), None)),
            ("f@V@@W", (key("f", "V@@W"), None)),
            ("", (key("", ""), None)),
        ] {
            assert_eq!(Key::of(name.as_bytes()), expected, "{name}");
        }
    }
}
