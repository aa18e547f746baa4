//! Units: what moves as one, and the order of it.

use super::output::{BSS, Output, outputs};
use crate::error::Result;
use crate::graph::LinkGraph;
use crate::hash::NameMap;
use crate::index::{BlockId, Id, SectionId};
use crate::memory::Protection;

/// Sections that lie together: an output section, or a part of one that may be parted.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(super) sections: Vec<SectionId>,
    pub(super) class: Class,
    /// Whether it has no content.
    pub(super) zero: bool,
}

/// What segments are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Code,
    Read,
    Relro,
    ThreadLocal,
    Write,
    NoAlloc,
}

impl Class {
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

impl Unit {
    /// The name of the output section.
    pub(super) fn output<'data>(&self, graph: &LinkGraph<'data>) -> &'data [u8] {
        self.sections.first().map_or(b"", |&section| graph.output(&graph.sections[section]))
    }

    /// Its live blocks, in order.
    pub(super) fn live_blocks<'a>(&'a self, graph: &'a LinkGraph<'_>) -> impl Iterator<Item = BlockId> + 'a {
        let blocks = self.sections.iter().flat_map(|&section| blocks_in_order(graph, section));
        blocks.filter(|&block| graph.blocks[block].live)
    }

    /// What units are sorted by. Zero-fill comes last, so that a segment's content ends before it, and of that what
    /// start-up code clears comes first: what it leaves alone lies behind.
    fn order(&self, graph: &LinkGraph<'_>) -> (Class, bool, bool) {
        (self.class, self.zero, self.zero && self.class == Class::Write && self.output(graph) != BSS)
    }
}

/// The blocks of a section as they lie in memory.
fn blocks_in_order(graph: &LinkGraph<'_>, section: SectionId) -> impl Iterator<Item = BlockId> + use<> {
    let section = &graph.sections[section];
    let (range, reversed) = (section.blocks.clone(), section.reversed);
    let last = range.end.wrapping_sub(1);
    range.clone().map(move |index| BlockId::new(if reversed { last - (index - range.start) } else { index } as usize))
}

fn is_zero(graph: &LinkGraph<'_>, section: SectionId) -> bool {
    graph.sections[section].block_ids().all(|block| graph.blocks[block].content.is_zero())
}

/// The live sections, in the order in which they go into segments.
pub(super) fn units(graph: &LinkGraph<'_>) -> Result<Vec<Unit>> {
    let mut units: Vec<Unit> = Vec::new();
    let mut image: Option<Unit> = None;
    for output in outputs(graph)? {
        if output.class == Class::ThreadLocal {
            // One image, of which every thread has a copy.
            match &mut image {
                Some(image) => image.sections.extend(output.sections),
                None => image = Some(Unit { sections: output.sections, class: output.class, zero: false }),
            }
        } else {
            part(graph, output, &mut units);
        }
    }
    if let Some(mut image) = image {
        // What is zero in the image comes behind what is not.
        image.sections.sort_by_key(|&section| is_zero(graph, section));
        image.zero = image.sections.first().is_some_and(|&section| is_zero(graph, section));
        units.push(image);
    }
    units.sort_by_key(|unit| unit.order(graph));
    Ok(units)
}

/// Makes units of an output section: one, or where it may be parted one for each name in each object.
fn part(graph: &LinkGraph<'_>, output: Output<'_>, units: &mut Vec<Unit>) {
    let whole = !output.may_be_parted();
    let mut known = NameMap::default();
    for &id in &output.sections {
        let section = &graph.sections[id];
        // Tentative definitions have no object that could hold them together.
        let alone = if section.is_made() { Some(id) } else { None };
        let key = (!whole).then_some((section.object, section.name, alone));
        let index = *known.entry(key).or_insert(units.len());
        match units.get_mut(index) {
            Some(unit) => {
                unit.sections.push(id);
                unit.zero &= is_zero(graph, id);
            }
            None => units.push(Unit { sections: vec![id], class: output.class, zero: is_zero(graph, id) }),
        }
    }
}
