//! Modules know each other one way only: of the modules that stand side by side in one, none uses another by which it is
//! used, be it by a detour. Read off the sources of every crate of the workspace.
//!
//! A module may use what stands in the one around it, and that one may name its parts. What is compiled for unit tests only
//! does not count.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use crate::sources::{Module, Sources, crates, is_test};

/// Uses that close a circle and are the design: crate, who, of whom, and why.
const EXCEPTIONS: &[(&str, &str, &str, &str)] = &[
    (
        "linker",
        "arch",
        "graph",
        "a graph carries its target, that its architecture, and an architecture works on graphs",
    ),
    ("linker", "arch", "target", "an architecture is asked about a target, which names its architecture"),
];

/// The paths that a source writes, and the names that it gives to some.
#[derive(Default)]
struct Paths {
    written: Vec<Vec<String>>,
    names: BTreeMap<String, Vec<String>>,
}

impl Paths {
    fn tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(before, item)),
            syn::UseTree::Glob(_) => self.written.push(before.to_vec()),
            syn::UseTree::Name(name) if name.ident == "self" => self.named(before.last().cloned(), before.to_vec()),
            syn::UseTree::Name(name) => self.named(Some(name.ident.to_string()), with(&name.ident)),
            syn::UseTree::Rename(rename) => self.named(Some(rename.rename.to_string()), with(&rename.ident)),
        }
    }

    fn named(&mut self, name: Option<String>, path: Vec<String>) {
        self.names.extend(name.map(|name| (name, path.clone())));
        self.written.push(path);
    }

    /// Paths in the arguments of a macro, which are tokens only.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) if colons == 2 => path.push(name.to_string()),
                TokenTree::Ident(name) => {
                    self.written.push(std::mem::replace(&mut path, vec![name.to_string()]));
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Group(group) => {
                    self.written.push(std::mem::take(&mut path));
                    self.tokens(group.stream());
                }
                _ => self.written.push(std::mem::take(&mut path)),
            }
            colons = 0;
        }
        self.written.push(path);
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_test(item) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.written.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.tokens(item.tokens.clone());
        visit::visit_macro(self, item);
    }
}

/// The modules that each module uses.
fn uses(sources: &Sources) -> BTreeMap<&Module, BTreeSet<&Module>> {
    let mut uses = BTreeMap::new();
    for (module, files) in sources {
        let mut paths = Paths::default();
        for text in files {
            paths.visit_file(&syn::parse_file(text).unwrap_or_else(|error| panic!("{module:?}: {error}")));
        }
        let mut used = BTreeSet::new();
        for path in &paths.written {
            let Some(path) = absolute(module, path, &paths.names, sources) else { continue };
            let found = (0..=path.len()).rev().find_map(|length| sources.get_key_value(&path[..length]));
            used.extend(found.map(|(found, _)| found).filter(|found| *found != module));
        }
        uses.insert(module, used);
    }
    uses
}

/// A path from the root of the crate. None if it leads out of the crate.
fn absolute(
    module: &Module,
    path: &[String],
    names: &BTreeMap<String, Vec<String>>,
    sources: &Sources,
) -> Option<Module> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => Some(rest.to_vec()),
        "self" => Some([module, rest].concat()),
        "super" => {
            let mut base = module.clone();
            let ups = path.iter().take_while(|part| *part == "super").count();
            base.truncate(module.len().checked_sub(ups)?);
            Some([&base, &path[ups..]].concat())
        }
        _ => match names.get(first) {
            Some(named) if named != path && named.first() != Some(first) => {
                absolute(module, &[&named[..], rest].concat(), names, sources)
            }
            _ => {
                let child = [&module[..], std::slice::from_ref(first)].concat();
                sources.contains_key(&child).then(|| [module, path].concat())
            }
        },
    }
}

/// A circle among the modules of one: each with the next, and by which of their own modules.
fn circles(name: &str, sources: &Sources, excepted: &mut BTreeSet<usize>) -> Vec<String> {
    let uses = uses(sources);
    let parents: BTreeSet<&[String]> = sources.keys().flat_map(|m| (0..m.len()).map(|length| &m[..length])).collect();
    let mut found = Vec::new();
    for parent in parents {
        let depth = parent.len();
        // By their names in the parent: who uses whom, and an example.
        let mut siblings: BTreeMap<&str, BTreeMap<&str, String>> = BTreeMap::new();
        for (from, used) in &uses {
            for to in used {
                let both = [from, to].map(|module| module.starts_with(parent) && module.len() > depth);
                if both != [true, true] || from[depth] == to[depth] {
                    continue;
                }
                let exception = EXCEPTIONS.iter().position(|(krate, who, whom, _)| {
                    *krate == name && *who == from[..=depth].join("::") && *whom == to[..=depth].join("::")
                });
                if let Some(exception) = exception {
                    excepted.insert(exception);
                    continue;
                }
                let example = format!("{} uses {}", from.join("::"), to.join("::"));
                siblings.entry(&from[depth]).or_default().entry(&to[depth]).or_insert(example);
            }
        }
        found.extend(circle(&siblings).map(|circle| format!("{name}: {}", circle.join(", "))));
    }
    found
}

/// A circle in a graph: the examples along it.
fn circle(graph: &BTreeMap<&str, BTreeMap<&str, String>>) -> Option<Vec<String>> {
    for start in graph.keys() {
        // From where each was reached first, breadth first: the circle is as short as any through its start.
        let mut from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut reached = vec![*start];
        let mut next = 0;
        while next < reached.len() {
            let node = reached[next];
            next += 1;
            for &to in graph.get(node).into_iter().flat_map(BTreeMap::keys) {
                if !from.contains_key(to) {
                    from.insert(to, node);
                    reached.push(to);
                }
            }
        }
        if !from.contains_key(start) {
            continue;
        }
        let mut steps = Vec::new();
        let mut to = *start;
        loop {
            let before = from[to];
            steps.push(graph[before][to].clone());
            to = before;
            if to == *start {
                break;
            }
        }
        steps.reverse();
        return Some(steps);
    }
    None
}

#[test]
fn no_modules_use_each_other_in_a_circle() {
    let (mut found, mut excepted, mut modules) = (Vec::new(), BTreeSet::new(), 0);
    for (name, sources) in crates() {
        modules += sources.len();
        found.extend(circles(&name, &sources, &mut excepted));
    }
    assert!(modules > 150, "the sources were found: {modules} modules");
    assert!(found.is_empty(), "\n{}", found.join("\n"));
    let unused: Vec<_> = (0..EXCEPTIONS.len()).filter(|index| !excepted.contains(index)).collect();
    assert!(unused.is_empty(), "these exceptions are needed no more: {unused:?}");
}

#[test]
fn circles_are_seen_however_they_are_written() {
    let of = |files: &[(&str, &str)]| {
        let module = |path: &str| path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let sources = files.iter().map(|(path, text)| (module(path), vec![(*text).to_owned()])).collect();
        circles("made up", &sources, &mut BTreeSet::new())
    };
    let back = ["use crate::a::X;", "use super::a;", "fn f() -> super::a::X {}", "fn f() { g!(1, crate::a::x()) }"];
    for back in back {
        assert_eq!(of(&[("a", "use crate::b;"), ("b", back)]), ["made up: a uses b, b uses a"], "{back}");
        // By a detour, and from within.
        let within =
            of(&[("a", "use crate::{c::{self, Y}, z};"), ("b", back), ("c", "mod d;"), ("c::d", "use crate::b;")]);
        assert_eq!(within, ["made up: a uses c, c::d uses b, b uses a"], "{back}");
        assert_eq!(of(&[("a", "use std::b;"), ("b", back)]), [""; 0], "{back}");
    }
    // By a name that was given to a module.
    let renamed = [("a", "use crate::m as n; fn f() { n::b::x() }"), ("m", "mod b;"), ("m::b", "use crate::a;")];
    assert_eq!(of(&renamed).len(), 1);
    // A module and the one around it.
    assert_eq!(of(&[("a", "mod b; use b::X;"), ("a::b", "use super::Y;")]), [""; 0]);
    // Unit tests may use what they test with.
    assert_eq!(of(&[("a", "use crate::b;"), ("b", "#[cfg(test)] mod tests { use crate::a; }")]), [""; 0]);
}
