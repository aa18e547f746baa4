//! Selects relocations: by section, place, symbol or name.

use std::ops::Range;

use linker::error::Site;
use linker::graph::{Definition, LinkGraph};
use linker::index::{BlockId, EdgeId};

use crate::linking::number;
use crate::messages::{self, suggest};

/// What a word of the command line stands for in a graph.
#[derive(Clone, Debug)]
pub(super) enum Filter {
    /// Relocations of this name: `R_ARM_CALL`.
    Relocation(String),
    /// All of a section: `.text`, or of all that begin so: `.text*`.
    Section { name: Vec<u8>, prefix: bool },
    /// What is at an offset in a section: `.text+0x1c`.
    At(Vec<u8>, u64),
    /// A place as messages write it: `a.o(.text+0x1c)`, or a section of one file: `a.o(.text)`.
    Site(String),
    /// What is against a symbol, or inside it.
    Symbol { name: String, bodies: Vec<(BlockId, Range<u64>)> },
}

impl Filter {
    /// What a word means. `Err` says why it means nothing, and what is near.
    pub(super) fn of(word: &str, graph: &LinkGraph<'_>) -> Result<Filter, String> {
        let is_section = |name: &str| graph.sections.iter().any(|(_, section)| section.name == name.as_bytes());
        if word.starts_with("R_") && !named(graph, word).is_empty() {
            return Ok(Filter::Symbol { name: word.to_owned(), bodies: bodies(graph, word, None) });
        }
        if word.starts_with("R_") {
            let rows = graph.target.architecture.rows();
            if rows.iter().any(|row| row.name == word) {
                return Ok(Filter::Relocation(word.to_owned()));
            }
            let known = rows.iter().map(|row| row.name);
            let architecture = graph.target.architecture.name();
            return Err(format!("{architecture} has no relocation `{word}`{}", suggest(word, known)));
        }
        if is_section(word) {
            return Ok(Filter::Section { name: word.as_bytes().to_vec(), prefix: false });
        }
        if let Some(prefix) = word.strip_suffix('*') {
            if graph.sections.iter().any(|(_, section)| section.name.starts_with(prefix.as_bytes())) {
                return Ok(Filter::Section { name: prefix.as_bytes().to_vec(), prefix: true });
            }
            return Err(format!("no section begins with `{prefix}`"));
        }
        if word.ends_with(')') && word.contains('(') {
            return Ok(Filter::Site(word.to_owned()));
        }
        if !named(graph, word).is_empty() {
            return Ok(Filter::Symbol { name: word.to_owned(), bodies: bodies(graph, word, None) });
        }
        if let Some((stem, offset)) = word.rsplit_once('+') {
            let offset = number::address(offset).map_err(|problem| format!("`{word}`: {problem}"))?;
            if is_section(stem) {
                return Ok(Filter::At(stem.as_bytes().to_vec(), offset));
            }
            if !named(graph, stem).is_empty() {
                // No symbol has such a name, so that only what is inside counts.
                return Ok(Filter::Symbol { name: word.to_owned(), bodies: bodies(graph, stem, Some(offset)) });
            }
        }
        let stem = word.rsplit_once('+').map_or(word, |(stem, _)| stem);
        let sections = graph.sections.iter().map(|(_, section)| String::from_utf8_lossy(section.name));
        let symbols = graph.symbols.iter().map(|(_, symbol)| String::from_utf8_lossy(symbol.name));
        Err(format!("there is no file, section or symbol `{stem}`{}", suggest(stem, sections.chain(symbols))))
    }

    /// Whether a relocation is one of those.
    pub(super) fn wants(&self, graph: &LinkGraph<'_>, id: EdgeId) -> bool {
        let edge = &graph.edges[id];
        let block = &graph.blocks[edge.block];
        let section = graph.sections[block.section].name;
        match self {
            Filter::Relocation(name) => graph.object_row(id).name == name || graph.row(edge).name == name,
            Filter::Section { name, prefix } => section == name || (*prefix && section.starts_with(name)),
            Filter::At(name, offset) => section == name && block.origin + u64::from(edge.offset) == *offset,
            Filter::Site(wanted) => {
                let site = Site { relocation: None, symbol: None, ..Site::edge(graph, edge) };
                site.to_string() == *wanted || Site { offset: None, ..site }.to_string() == *wanted
            }
            Filter::Symbol { name, bodies } => {
                is_called(&graph.symbol_name(edge.target), name)
                    || bodies.iter().any(|(own, body)| *own == edge.block && body.contains(&u64::from(edge.offset)))
            }
        }
    }
}

/// Whether a symbol has this name, as objects have it or as it was written in C++ or Rust.
fn is_called(symbol: &str, name: &str) -> bool {
    symbol == name || messages::demangle(symbol).is_some_and(|written| written == name)
}

/// The symbols of a name.
fn named<'a, 'g>(graph: &'a LinkGraph<'g>, name: &'a str) -> Vec<&'a linker::graph::Symbol<'g>> {
    let symbols = graph.symbols.iter().map(|(_, symbol)| symbol);
    let is_own = |symbol: &&linker::graph::Symbol<'_>| {
        !symbol.name.is_empty() && is_called(&String::from_utf8_lossy(symbol.name), name)
    };
    symbols.filter(is_own).collect()
}

/// What the symbols of a name span, by block, or one offset in each.
fn bodies(graph: &LinkGraph<'_>, name: &str, offset: Option<u64>) -> Vec<(BlockId, Range<u64>)> {
    let placed = named(graph, name).into_iter().filter_map(|symbol| match symbol.definition {
        Definition::Block(block, start) => {
            let whole = start..start.saturating_add(symbol.size.max(1));
            let one = offset.map(|offset| start.saturating_add(offset));
            Some((block, one.map_or(whole, |at| at..at.saturating_add(1))))
        }
        _ => None,
    });
    placed.collect()
}
