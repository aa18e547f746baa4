//! Names of objects, stubs and symbols for people, and the sites of errors.

use super::{Definition, Edge, LinkGraph, Object};
use crate::error::{Site, text};
use crate::index::{BlockId, ObjectId, SectionId, SymbolId};

/// `libx.a(member.o)` or `file.o`.
pub fn object_name(object: &Object<'_>) -> String {
    let file = text(object.file.as_bytes());
    match object.member {
        Some(member) => format!("{file}({})", text(member)),
        None => file,
    }
}

impl Site {
    pub(crate) fn file(graph: &LinkGraph<'_>, object: ObjectId) -> Self {
        Site { file: object_name(&graph.objects[object]), ..Site::default() }
    }

    pub(crate) fn section(graph: &LinkGraph<'_>, section: SectionId) -> Self {
        let section = &graph.sections[section];
        Site { section: Some(text(section.name)), ..Site::file(graph, section.object) }
    }

    /// The place of an edge.
    pub fn edge(graph: &LinkGraph<'_>, edge: &Edge) -> Self {
        let block = &graph.blocks[edge.block];
        Site {
            offset: Some(block.origin + u64::from(edge.offset)),
            relocation: Some(graph.row(edge).name),
            symbol: Some(graph.symbol_name(edge.target)),
            ..Site::section(graph, block.section)
        }
    }
}

impl LinkGraph<'_> {
    /// The name of the stub in a block, by which tools recognise what it is and where it leads.
    pub fn stub_name(&self, block: BlockId) -> Option<String> {
        let index = self.shapes.binary_search_by_key(&block, |shape| shape.0).ok()?;
        let (before, behind) = self.shapes[index].1.label;
        let target = self.edges_of(block).first()?.target;
        // A stub of a stub is for what that one is for.
        let target = match self.symbols[target].definition {
            Definition::Block(next, 0) if next != block && self.symbols[target].name.is_empty() => {
                self.edges_of(next).first().map_or(target, |edge| edge.target)
            }
            _ => target,
        };
        Some(format!("{before}{}{behind}", text(self.symbols[target].name)))
    }

    /// A name to show for a symbol: its own, its section's for a section symbol, what it stands for when made.
    pub fn symbol_name(&self, symbol: SymbolId) -> String {
        let symbol = &self.symbols[symbol];
        match symbol.definition {
            _ if !symbol.name.is_empty() => text(symbol.name),
            Definition::Block(block, 0) if self.stub_name(block).is_some() => self.stub_name(block).unwrap_or_default(),
            Definition::Block(block, 0) => text(self.sections[self.blocks[block].section].name),
            Definition::Block(block, offset) => {
                format!("{}+{offset:#x}", text(self.sections[self.blocks[block].section].name))
            }
            _ => "nothing".to_owned(),
        }
    }
}
