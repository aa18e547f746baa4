//! Liveness: what the roots reach through edges stays, the rest goes.

use rustc_hash::FxHashMap;

use crate::graph::{Definition, Extent, Kind, LinkGraph, is_identifier};
use crate::hash::{NameMap, NameSet};
use crate::index::{BlockId, GroupId, SectionId, SymbolId};
use crate::memory::Lifetime;

/// Marks as live what `roots` reach, all retained sections, and what lives along with what is live. With no roots given,
/// everything that is loaded is live.
pub(crate) fn run(graph: &mut LinkGraph<'_>, roots: Option<&[SymbolId]>) {
    let mut marker = Marker::new(graph);
    match roots {
        None => marker.mark_all(),
        Some(roots) => {
            roots.iter().for_each(|&root| marker.mark_symbol(root));
            marker.mark_retained();
        }
    }
    while let Some(block) = marker.work.pop() {
        marker.follow(block);
    }
    // Debug information describes what is there; it keeps nothing alive.
    for section in graph.sections.ids() {
        if graph.sections[section].lifetime == Lifetime::NoAlloc {
            for block in graph.sections[section].block_ids() {
                graph.blocks[block].live = true;
            }
        }
    }
}

struct Marker<'g, 'data> {
    graph: &'g mut LinkGraph<'data>,
    work: Vec<BlockId>,
    /// Blocks that live when another does: tables in link order, and the call-frame records of a function.
    along: FxHashMap<BlockId, Vec<BlockId>>,
    /// Sections by name, those that live together.
    named: NameMap<&'data [u8], Vec<SectionId>>,
    /// The members of each section group.
    groups: FxHashMap<GroupId, Vec<SectionId>>,
    /// The names whose bounds somebody asked for.
    bounded: NameSet<&'data [u8]>,
}

impl<'g, 'data> Marker<'g, 'data> {
    fn new(graph: &'g mut LinkGraph<'data>) -> Self {
        let mut along: FxHashMap<BlockId, Vec<BlockId>> = FxHashMap::default();
        let mut named: NameMap<&'data [u8], Vec<SectionId>> = NameMap::default();
        let mut groups: FxHashMap<GroupId, Vec<SectionId>> = FxHashMap::default();
        for (id, section) in graph.sections.iter() {
            if let Some(group) = section.group {
                groups.entry(group).or_default().push(id);
            }
            if graph.is_whole(section) {
                named.entry(section.name).or_default().push(id);
            }
            for block in section.block_ids() {
                let about = match section.kind {
                    Kind::LinkOrder => section.link.and_then(|link| graph.sections[link].block_ids().next()),
                    Kind::Frames => described(graph, block),
                    _ => None,
                };
                if let Some(about) = about {
                    along.entry(about).or_default().push(block);
                }
            }
        }
        for block in graph.blocks.as_mut_slice() {
            block.live = false;
        }
        Marker { graph, work: Vec::new(), along, named, groups, bounded: NameSet::default() }
    }

    fn mark(&mut self, block: BlockId) {
        if !self.graph.blocks[block].live {
            self.graph.blocks[block].live = true;
            self.work.push(block);
            let section = self.graph.blocks[block].section;
            if let Some(group) = self.graph.sections[section].group {
                for member in self.groups.remove(&group).unwrap_or_default() {
                    if self.stands_alone(member) {
                        self.mark_section(member);
                    }
                }
            }
            if self.stands_alone(section) && self.graph.is_whole(&self.graph.sections[section]) {
                self.mark_named(self.graph.sections[section].name);
            }
        }
    }

    /// Marks all sections of a name that live together.
    fn mark_named(&mut self, name: &'data [u8]) {
        for section in self.named.remove(name).unwrap_or_default() {
            if self.stands_alone(section) {
                self.mark_section(section);
            }
        }
    }

    fn mark_section(&mut self, section: SectionId) {
        for block in self.graph.sections[section].block_ids() {
            self.mark(block);
        }
    }

    fn mark_symbol(&mut self, symbol: SymbolId) {
        match self.graph.symbols[symbol].definition {
            Definition::Block(block, _) => self.mark(block),
            // Who asks for the bounds of sections wants what is between them.
            Definition::Bound(Extent::Sections(name), _) => {
                // Once is enough.
                if !self.bounded.insert(name) {
                    return;
                }
                if is_identifier(name) {
                    return self.mark_named(name);
                }
                for section in self.graph.sections.ids() {
                    if self.graph.output(&self.graph.sections[section]) == name && self.stands_alone(section) {
                        self.mark_section(section);
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether a section can be kept for its own sake: tables that describe others go with those.
    fn stands_alone(&self, section: SectionId) -> bool {
        let section = &self.graph.sections[section];
        section.lifetime == Lifetime::Standard && !matches!(section.kind, Kind::LinkOrder | Kind::Frames)
    }

    fn mark_retained(&mut self) {
        for section in self.graph.sections.ids() {
            if self.graph.sections[section].retain && self.stands_alone(section) {
                self.mark_section(section);
            }
        }
    }

    fn mark_all(&mut self) {
        for section in self.graph.sections.ids() {
            if self.graph.sections[section].lifetime == Lifetime::Standard && !self.describes_nothing(section) {
                self.mark_section(section);
            }
        }
    }

    /// Call-frame records of functions in discarded groups stay behind in their object.
    fn describes_nothing(&self, section: SectionId) -> bool {
        self.graph.sections[section].kind == Kind::Frames
    }

    fn follow(&mut self, block: BlockId) {
        for index in self.graph.blocks[block].edge_ids() {
            let target = self.graph.edges[index].target;
            self.mark_symbol(target);
        }
        if let Some(parent) = self.graph.blocks[block].parent {
            self.mark(parent);
        }
        for about in self.along.remove(&block).unwrap_or_default() {
            self.mark(about);
        }
    }
}

/// The block of the function that a call-frame record describes: the target of its first edge, which is its start
/// address. A common record describes none.
fn described(graph: &LinkGraph<'_>, block: BlockId) -> Option<BlockId> {
    graph.blocks[block].parent?;
    let edge = graph.edges_of(block).first()?;
    match graph.symbols[edge.target].definition {
        Definition::Block(function, _) => Some(function),
        _ => None,
    }
}
