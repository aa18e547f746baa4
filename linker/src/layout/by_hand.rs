//! Layouts by hand: any layout can be written down as one, and read back it gives the same bytes.

use std::collections::VecDeque;

use super::{At, Class, Layout, Plan, Unit, align_up};
use crate::error::{Error, Result, Site, text};
use crate::graph::{LinkGraph, object_name};
use crate::hash::NameMap;
use crate::index::SectionId;
use crate::memory::Lifetime;

/// Sections of one kind that are placed by hand with less than this between them share a segment.
const NEIGHBOURS: u64 = 0x1_0000;

impl Plan {
    pub(super) fn place_by_hand(&mut self, graph: &LinkGraph<'_>, units: &[Unit], list: &[At]) -> Result<()> {
        // Sections of one name in one file are told apart by their order.
        let mut wanted: NameMap<(String, &[u8]), VecDeque<&At>> = NameMap::default();
        for at in list {
            wanted.entry((at.file.clone(), at.section.as_bytes())).or_default().push_back(at);
        }
        let (mut placed, mut rest) = (Vec::new(), Vec::new());
        for (unit, &alignment) in units.iter().zip(&self.alignments) {
            let mut start: Option<(u64, SectionId, &At)> = None;
            // What is never loaded has no place.
            for &id in unit.sections.iter().filter(|_| unit.class != Class::NoAlloc) {
                let section = &graph.sections[id];
                let key = (object_name(&graph.objects[section.object]), section.name);
                let Some(at) = wanted.get_mut(&key).and_then(VecDeque::pop_front) else { continue };
                let address = graph.target.wrap(at.address.wrapping_sub(offset_in(graph, unit, id)));
                match start {
                    None => start = Some((address, id, at)),
                    Some((before, other, at_before)) if before != address => {
                        return Err(Error::Layout(format!(
                            "{} at {:#x} and {} at {:#x} are parts of one output section {}: expected the second at {:#x}",
                            Site::section(graph, other),
                            at_before.address,
                            Site::section(graph, id),
                            at.address,
                            text(graph.output(section)),
                            before.wrapping_add(offset_in(graph, unit, id))
                        )));
                    }
                    Some(_) => {}
                }
            }
            match start {
                Some((address, id, at)) if address % alignment != 0 => {
                    let name = Site::section(graph, id);
                    let at = at.address;
                    return Err(Error::Layout(format!(
                        "{name} cannot be at {at:#x}: it is aligned to {alignment:#x} bytes"
                    )));
                }
                Some((address, ..)) => placed.push((address, unit)),
                None => rest.push(unit),
            }
        }
        // The first in the list that nothing took.
        let left = |at: &&At| wanted[&(at.file.clone(), at.section.as_bytes())].iter().any(|left| left == at);
        if let Some(at) = list.iter().find(left) {
            return Err(no_such_section(graph, units, at));
        }
        let size = |unit: &Unit| unit.live_blocks(graph).map(|block| graph.blocks[block].content.size()).sum::<u64>();
        // What is empty can be where something else is, but not behind it.
        placed.sort_by_cached_key(|&(address, unit)| (address, size(unit), unit.class));
        let mut last: Option<(u64, &Unit)> = None;
        let mut taken = Vec::new();
        for (address, unit) in placed {
            let near = |(end, before): (u64, &Unit)| {
                let together = before.class == unit.class && unit.class != Class::NoAlloc;
                together && (address / self.page <= end / self.page || !before.zero && address - end <= NEIGHBOURS)
            };
            let joins = last.is_some_and(near);
            if joins {
                self.fill(graph, unit)
            } else {
                self.open(graph, unit, Some(address))
            }
            let size = size(unit);
            // What is empty may stand anywhere, in the midst of others too: it draws nothing to it.
            last = (joins || size > 0).then_some((address.saturating_add(size), unit));
            taken.push((address, address.saturating_add(size)));
            if let Some(first) = unit.live_blocks(graph).next() {
                self.pins.insert(first, address);
            }
        }
        let base = self.free_place(graph, &rest, &taken);
        for (index, unit) in rest.into_iter().enumerate() {
            self.open(graph, unit, (index == 0).then_some(base));
        }
        Ok(())
    }

    /// The first address from the base on where all these find room beside what is taken. `taken` is sorted.
    fn free_place(&self, graph: &LinkGraph<'_>, units: &[&Unit], taken: &[(u64, u64)]) -> u64 {
        let room = |unit: &&Unit| {
            let blocks = unit.live_blocks(graph).map(|block| &graph.blocks[block]);
            let sizes = blocks.map(|block| block.content.size().saturating_add(block.alignment));
            sizes.fold(self.page, u64::saturating_add)
        };
        // Stubs will come.
        let room = units.iter().map(room).fold(NEIGHBOURS, u64::saturating_add);
        let mut start = self.base;
        for &(from, to) in taken {
            if from < start.saturating_add(room.saturating_mul(2)) && to.saturating_add(self.page) > start {
                start = align_up(to.saturating_add(self.page), self.page);
            }
        }
        start
    }

    /// What was placed by hand is there.
    pub(super) fn check_pins(&self, graph: &LinkGraph<'_>) -> Result<()> {
        for segment in &self.segments {
            for &id in &segment.blocks {
                let block = &graph.blocks[id];
                let Some(pin) = self.pins.get(&id).filter(|&&pin| pin != block.address) else { continue };
                let name = Site::section(graph, block.section);
                let last = graph.target.wrap(u64::MAX);
                if *pin > last {
                    return Err(Error::Layout(format!("{name} cannot be at {pin:#x}: the last address is {last:#x}")));
                }
                let reaches = block.address;
                return Err(Error::Layout(format!(
                    "{name} cannot be at {pin:#x}: what lies before it reaches to {reaches:#x}"
                )));
            }
        }
        Ok(())
    }

    /// The same layout written by hand. Stubs are not named: they come about again, beside what they are for.
    pub fn by_hand(&self, graph: &LinkGraph<'_>) -> Layout {
        by_hand(graph, &self.units)
    }
}

/// How far behind the start of its unit a section begins, in bytes.
fn offset_in(graph: &LinkGraph<'_>, unit: &Unit, section: SectionId) -> u64 {
    let mut offset = 0u64;
    for id in unit.live_blocks(graph) {
        let block = &graph.blocks[id];
        offset = align_up(offset, block.alignment);
        if block.section == section {
            return offset;
        }
        offset = offset.saturating_add(block.content.size());
    }
    offset
}

fn by_hand(graph: &LinkGraph<'_>, units: &[Unit]) -> Layout {
    let at = |unit: &Unit| {
        let address = unit.live_blocks(graph).map(|block| graph.blocks[block].address).min()?;
        let section = &graph.sections[*unit.sections.first()?];
        (section.lifetime != Lifetime::NoAlloc).then(|| At {
            file: object_name(&graph.objects[section.object]),
            section: text(section.name),
            address,
        })
    };
    Layout::At(units.iter().filter_map(at).collect())
}

/// How many sections an error lists.
const LISTED: usize = 50;

fn no_such_section(graph: &LinkGraph<'_>, units: &[Unit], at: &At) -> Error {
    let Layout::At(known) = by_hand(graph, units) else { return Error::Layout(String::new()) };
    let mut list: Vec<String> = known.iter().take(LISTED).map(|at| format!("{}({})", at.file, at.section)).collect();
    if known.len() > LISTED {
        list.push(format!("and {} more", known.len() - LISTED));
    }
    let (file, section, list) = (&at.file, &at.section, list.join(", "));
    Error::Layout(format!("there is no section {file}({section}) in the link, which has {list}"))
}
