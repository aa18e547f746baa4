//! Islands: where stubs stand, right before and right behind a unit.
//!
//! An island grows at its outer end only, so that the distance of a stub from its unit never changes.

use rustc_hash::FxHashMap;

use super::{Plan, align_up};
use crate::graph::LinkGraph;
use crate::index::{BlockId, Id};

/// How a block belongs to a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Home {
    pub(super) unit: u32,
    pub(super) part: Part,
}

/// Whether a block is part of its unit or stands in one of its islands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The island before.
    Before,
    /// The unit itself.
    Unit,
    /// The island behind.
    Behind,
}

/// Alignment of stubs, in bytes.
pub(crate) const STUB_ALIGNMENT: u64 = 8;

/// Where units are between two changes of the addresses: looked up once, asked for each stub.
#[derive(Debug)]
pub(crate) struct Whereabouts {
    /// First byte of each unit without its islands, and the byte behind its last, if something of it is left.
    extents: Vec<Option<(u64, u64)>>,
    /// The address of the last block of each segment of code, with its unit, in the order of addresses.
    code: Vec<(u64, u32)>,
}

impl Whereabouts {
    /// First byte of a unit, and the byte behind its last, without its islands.
    pub(crate) fn extent(&self, unit: u32) -> Option<(u64, u64)> {
        self.extents.get(unit as usize).copied().flatten()
    }

    /// The number of the unit of code nearest to an address. None where there is no code.
    pub(crate) fn nearest_code(&self, address: u64) -> Option<u32> {
        let next = self.code.partition_point(|&(at, _)| at < address);
        let around = self.code.get(next.saturating_sub(1)..).unwrap_or_default().iter().take(2);
        around.min_by_key(|(at, _)| at.abs_diff(address)).map(|&(_, unit)| unit)
    }
}

impl Plan {
    /// Bytes of the island before the first unit of these blocks.
    pub(super) fn island_before(&self, graph: &LinkGraph<'_>, blocks: &[BlockId]) -> u64 {
        let island = blocks.iter().take_while(|&&block| self.home(block).is_some_and(|home| home.part == Part::Before));
        island.map(|&block| align_up(graph.blocks[block].content.size(), STUB_ALIGNMENT)).sum()
    }

    /// Puts stubs into islands: each at the outer end of the island before or behind its unit.
    pub(crate) fn add_stubs(&mut self, stubs: &[(u32, BlockId, Part)]) {
        let mut by_unit: FxHashMap<u32, (Vec<BlockId>, Vec<BlockId>)> = FxHashMap::default();
        for &(unit, block, part) in stubs {
            self.alignments[unit as usize] = self.alignments[unit as usize].max(STUB_ALIGNMENT);
            self.homes.resize(self.homes.len().max(block.index() + 1), None);
            self.homes[block.index()] = Some(Home { unit, part });
            let (before, behind) = by_unit.entry(unit).or_default();
            if part == Part::Before { before.push(block) } else { behind.push(block) }
        }
        for segment in &mut self.segments {
            let unit_of = |block: &BlockId| self.homes.get(block.index()).copied().flatten().map(|home| home.unit);
            if !segment.blocks.iter().any(|block| unit_of(block).is_some_and(|unit| by_unit.contains_key(&unit))) {
                continue;
            }
            let mut blocks = Vec::with_capacity(segment.blocks.len() + stubs.len().min(segment.blocks.len()));
            for unit in segment.blocks.chunk_by(|a, b| unit_of(a) == unit_of(b)) {
                let (before, behind) = unit_of(&unit[0]).and_then(|unit| by_unit.remove(&unit)).unwrap_or_default();
                blocks.extend(before.into_iter().rev());
                blocks.extend(unit);
                blocks.extend(behind);
            }
            segment.blocks = blocks;
        }
    }

    /// Takes out what is no longer live. What is there keeps its address until the next [`Plan::assign`].
    pub(crate) fn let_go(&mut self, graph: &LinkGraph<'_>) {
        for segment in &mut self.segments {
            segment.blocks.retain(|&block| graph.blocks[block].live);
        }
    }

    /// Where units are at the present addresses.
    pub(crate) fn whereabouts(&self, graph: &LinkGraph<'_>) -> Whereabouts {
        let extents = self.units.iter().map(|unit| self.extent(graph, unit)).collect();
        let code = self.segments.iter().filter(|segment| segment.protection.executable());
        let last = code.filter_map(|segment| segment.blocks.last());
        let mut code: Vec<(u64, u32)> =
            last.filter_map(|&block| Some((graph.blocks[block].address, self.unit_of(block)?))).collect();
        code.sort_unstable();
        Whereabouts { extents, code }
    }

    /// Bytes by which two blocks can come apart at most when `added` bytes come in.
    pub(crate) fn drift(&self, added: u64) -> u64 {
        let slack = self.alignments.iter().fold(added, |sum, &alignment| sum.saturating_add(alignment));
        let segments = self.segments.iter().map(|segment| segment.alignment.max(self.page));
        segments.fold(slack, u64::saturating_add)
    }
}
