//! Units: what lies together, and the order of it.

use rustc_hash::FxHashMap;

use crate::defined::belongs;
use crate::graph::{Kind, LinkGraph};
use crate::index::{BlockId, SectionId};
use crate::memory::{Lifetime, Protection};

/// Sections that lie together.
pub(super) struct Unit {
    pub(super) sections: Vec<SectionId>,
    pub(super) class: Class,
    /// Whether it has no content.
    pub(super) zero: bool,
}

/// What segments are sorted by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Code,
    Read,
    Relro,
    ThreadLocal,
    Write,
    NoAlloc,
}

impl Class {
    pub(super) fn of(graph: &LinkGraph<'_>, section: SectionId) -> Class {
        let section = &graph.sections[section];
        match (section.lifetime, section.protection) {
            (Lifetime::NoAlloc, _) => Class::NoAlloc,
            (_, Protection::ReadExecute) => Class::Code,
            (_, Protection::ReadWrite) => Class::Write,
            (_, Protection::Read) if section.thread_local => Class::ThreadLocal,
            (_, Protection::Read) if section.relro => Class::Relro,
            (_, Protection::Read) => Class::Read,
        }
    }

    pub(super) fn protection(self) -> Protection {
        match self {
            Class::Code => Protection::ReadExecute,
            Class::Write => Protection::ReadWrite,
            Class::Read | Class::Relro | Class::ThreadLocal | Class::NoAlloc => Protection::Read,
        }
    }

    pub(super) fn is_relro(self) -> bool {
        matches!(self, Class::Relro | Class::ThreadLocal)
    }
}

/// The name under which sections have to be adjacent, if they have to.
pub(super) fn joint<'data>(graph: &LinkGraph<'data>, section: SectionId) -> Option<&'data [u8]> {
    let section = &graph.sections[section];
    match section.kind {
        // `.init_array.100` lies with `.init_array`.
        Kind::Array(_) => {
            let end = section.name.iter().skip(1).position(|&c| c == b'.').map_or(section.name.len(), |dot| dot + 1);
            Some(&section.name[..end])
        }
        Kind::LinkOrder => {
            let index = graph.arch.unwind_index().map(|index| index.section);
            Some(index.filter(|index| belongs(section.name, index)).unwrap_or(section.name))
        }
        Kind::Frames => Some(section.name),
        // One image, of which every thread has a copy.
        _ if section.thread_local => Some(b".tdata"),
        _ if section.lifetime == Lifetime::NoAlloc || section.has_identifier_name() => Some(section.name),
        _ => None,
    }
}

fn is_zero(graph: &LinkGraph<'_>, section: SectionId) -> bool {
    graph.sections[section].block_ids().all(|block| graph.blocks[block].content.is_zero())
}

/// The live sections, in the order in which they go into segments.
pub(super) fn units(graph: &LinkGraph<'_>) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut joints: FxHashMap<(&[u8], u8), usize> = FxHashMap::default();
    for (id, section) in graph.sections.iter() {
        if !section.block_ids().any(|block| graph.blocks[block].live) {
            continue;
        }
        let class = Class::of(graph, id);
        let zero = is_zero(graph, id);
        match joint(graph, id) {
            Some(name) => {
                let unit = *joints.entry((name, class as u8)).or_insert(units.len());
                match units.get_mut(unit) {
                    Some(unit) => {
                        unit.sections.push(id);
                        unit.zero &= zero;
                    }
                    None => units.push(Unit { sections: vec![id], class, zero }),
                }
            }
            None => units.push(Unit { sections: vec![id], class, zero }),
        }
    }
    for unit in &mut units {
        unit.sections.sort_by_key(|&section| match graph.sections[section].kind {
            Kind::Array(priority) => (priority, section),
            // What is zero in the image of threads comes behind what is not.
            _ if unit.class == Class::ThreadLocal => (u32::from(is_zero(graph, section)), section),
            _ => (0, section),
        });
    }
    // Zero-fill comes last, so that a segment's content ends before it.
    units.sort_by_key(|unit| (unit.class, unit.zero));
    units
}

pub(super) fn live_blocks<'a>(graph: &'a LinkGraph<'_>, unit: &'a Unit) -> impl Iterator<Item = BlockId> + 'a {
    let blocks = unit.sections.iter().flat_map(|&section| graph.sections[section].block_ids());
    blocks.filter(|&block| graph.blocks[block].live)
}
