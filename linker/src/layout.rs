//! Layout: which blocks lie together, in which order, and where.
//!
//! Sections of one name form an *output section* (`output`). Live blocks form *units* (`units`), which move as one: an
//! output section, or a part of one where layouts may part it. Units go into *segments* of one protection. A policy gives
//! the segments their places.
//!
//! A unit is rigid: it starts at a multiple of its widest alignment, so that the distances in it never change. Stubs stand
//! in *islands* right before and right behind a unit, which grow at their outer ends only: the distance of a stub from the
//! unit that it stands beside does not change either.

use rustc_hash::FxHashMap;

use crate::arch::Spans;
use crate::error::Result;
use crate::graph::{Content, Definition, Extent, Kind, LinkGraph};
use crate::index::{BlockId, Id};
use crate::memory::{Lifetime, Protection};

mod bounds;
mod by_hand;
mod by_output;
mod islands;
mod output;
mod request;
mod text;
mod units;

use islands::Home;
pub(crate) use islands::{Part, STUB_ALIGNMENT, Whereabouts};
use units::{Class, Unit, units};

/// Where sections go. The text form is what [`FromStr`](std::str::FromStr) reads and [`Display`](std::fmt::Display) writes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layout {
    /// `anywhere`: segments beside each other, wherever the memory likes.
    Anywhere,
    /// `near`: segments beside each other, from the architecture's base on.
    Near,
    /// `far`: sections of code beyond each other's branch range.
    Far,
    /// `high`: above 4 GiB, or where addresses have 32 bits with data on the other side of the wrap.
    High,
    /// `random:SEED`: sections apart, in an order and with gaps that the seed decides.
    Random(u64),
    /// `at:FILE(SECTION)=ADDRESS,...`: these sections there, the rest near. `at:*(SECTION)=ADDRESS,...`: these output
    /// sections there, and what comes behind one of them follows it.
    At(Vec<At>),
}

/// One placement by hand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// File name of the object, with the member in parentheses for an archive; `linker` for what the linker makes; `*` for
    /// an output section.
    pub file: String,
    /// Section name.
    pub section: String,
    /// Address.
    pub address: u64,
}

/// A segment and what is in it.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Final protection.
    pub protection: Protection,
    /// Writable until finalized.
    pub relro: bool,
    /// The initial image of each thread's variables.
    pub thread_local: bool,
    /// How long it is needed.
    pub lifetime: Lifetime,
    /// Address; meaningful relative to the others until memory is reserved.
    pub address: u64,
    /// Bytes of target memory.
    pub size: u64,
    /// Bytes that carry content.
    pub content: u64,
    /// Required alignment.
    pub alignment: u64,
    /// Its blocks, in order.
    pub blocks: Vec<BlockId>,
    /// An address the policy fixed, or None for: behind the one before.
    fixed: Option<u64>,
}

/// All segments of a link.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// In the order of the reservation.
    pub segments: Vec<Planned>,
    /// Whether the memory may choose the address of the first.
    pub floating: bool,
    page: u64,
    base: u64,
    /// Where somebody said that the image starts.
    start: Option<u64>,
    /// Where blocks have to be that were placed by hand.
    pins: FxHashMap<BlockId, u64>,
    units: Vec<Unit>,
    /// By block: the number of the unit that it belongs to or stands beside, if it is in the plan.
    homes: Vec<Option<Home>>,
    /// By unit: where it may start, in bytes. Those with islands start where stubs may.
    alignments: Vec<u64>,
}

/// Name of the section that the image's headers stand in.
const HEADERS: &[u8] = b".headers";

impl Plan {
    /// Distributes the live blocks over segments by `layout`. Addresses follow from [`Plan::assign`].
    pub(crate) fn new(graph: &LinkGraph<'_>, layout: &Layout, page: u64, origin: u64) -> Result<Plan> {
        let Spans { base, high_data, .. } = graph.arch.spans();
        let moved = |address: u64| graph.target.wrap(address.wrapping_add(origin));
        let spans = Spans { base: moved(base), high_data: high_data.map(moved), ..graph.arch.spans() };
        let units = units(graph)?;
        let mut plan = Plan { floating: *layout == Layout::Anywhere, page, base: spans.base, ..Plan::default() };
        plan.take_in(graph, &units);
        match layout {
            Layout::Anywhere | Layout::Near => units.iter().for_each(|unit| plan.join(graph, unit)),
            Layout::High => {
                plan.base = spans.high;
                units.iter().for_each(|unit| plan.join(graph, unit));
                if let Some(data) = spans.high_data
                    && let Some(first) = plan.segments.iter_mut().find(|s| s.protection != Protection::ReadExecute)
                {
                    first.fixed = Some(data);
                }
            }
            Layout::Far => plan.scatter_far(graph, &units, &spans),
            Layout::Random(seed) => plan.scatter_randomly(graph, &units, *seed),
            Layout::At(list) if !list.is_empty() && list.iter().all(|at| at.file == by_output::ANY) => {
                plan.place_outputs(graph, &units, list)?;
            }
            Layout::At(list) => plan.place_by_hand(graph, &units, list)?,
        }
        plan.units = units;
        // What is never loaded comes behind all that is, and has no address.
        plan.segments.sort_by_key(|segment| segment.lifetime == Lifetime::NoAlloc);
        Ok(plan)
    }

    /// The image starts here instead of at the architecture's base.
    pub(crate) fn start_at(&mut self, base: u64) {
        (self.base, self.start) = (base, Some(base));
    }

    /// Puts room for the image's headers, so many bytes, in front of everything and below it, as loaders and start-up code
    /// expect them. Nothing else moves, unless there is no such room below the base, or the image was told where to start, which
    /// is by its headers: then the base does, with all that has no fixed address.
    pub(crate) fn put_headers(&mut self, graph: &mut LinkGraph<'_>, size: u64) {
        let content = Content::Owned(vec![0; size as usize]);
        let block = graph.make_block(HEADERS, Protection::Read, false, content, 8);
        graph.headers = Some(block);
        let start = if self.start.is_some() {
            let behind = align_up(self.base.saturating_add(size), self.page);
            std::mem::replace(&mut self.base, behind)
        } else {
            self.base = self.base.max(align_up(size, self.page).saturating_add(self.page));
            let lowest = self.segments.iter().filter_map(|segment| segment.fixed).chain([self.base]).min();
            lowest.unwrap_or(self.base).saturating_sub(size) & !(self.page - 1)
        };
        self.segments.insert(
            0,
            Planned {
                protection: Protection::Read,
                relro: false,
                thread_local: false,
                lifetime: Lifetime::Standard,
                address: 0,
                size: 0,
                content: 0,
                alignment: 1,
                blocks: vec![block],
                fixed: Some(start),
            },
        );
    }

    /// Notes which unit each block is in, and how units are aligned.
    fn take_in(&mut self, graph: &LinkGraph<'_>, units: &[Unit]) {
        self.homes = vec![None; graph.blocks.len()];
        for (number, unit) in units.iter().enumerate() {
            let mut alignment = 1;
            for block in unit.live_blocks(graph) {
                alignment = graph.blocks[block].alignment.max(alignment);
                self.homes[block.index()] = Some(Home { unit: number as u32, part: Part::Unit });
            }
            self.alignments.push(alignment);
        }
    }

    fn home(&self, block: BlockId) -> Option<Home> {
        self.homes.get(block.index()).copied().flatten()
    }

    /// The number of the unit that a block belongs to or stands beside.
    pub(crate) fn unit_of(&self, block: BlockId) -> Option<u32> {
        self.home(block).map(|home| home.unit)
    }

    fn open(&mut self, graph: &LinkGraph<'_>, unit: &Unit, fixed: Option<u64>) {
        self.segments.push(Planned {
            protection: unit.class.protection(),
            relro: unit.class.is_relro(),
            thread_local: unit.class == Class::ThreadLocal,
            lifetime: if unit.class == Class::NoAlloc { Lifetime::NoAlloc } else { Lifetime::Standard },
            address: 0,
            size: 0,
            content: 0,
            alignment: 1,
            blocks: Vec::new(),
            fixed,
        });
        self.fill(graph, unit);
    }

    fn fill(&mut self, graph: &LinkGraph<'_>, unit: &Unit) {
        if let Some(segment) = self.segments.last_mut() {
            segment.blocks.extend(unit.live_blocks(graph));
        }
    }

    /// Puts a unit into the last segment if that is of the same kind, else into a new one behind it.
    fn join(&mut self, graph: &LinkGraph<'_>, unit: &Unit) {
        let fits = self.segments.last().is_some_and(|last| {
            last.protection == unit.class.protection()
                && last.relro == unit.class.is_relro()
                && last.thread_local == (unit.class == Class::ThreadLocal)
                && last.lifetime == Lifetime::Standard
                && unit.class != Class::NoAlloc
                && last.fixed.is_none()
        });
        if fits { self.fill(graph, unit) } else { self.open(graph, unit, None) }
    }

    fn scatter_far(&mut self, graph: &LinkGraph<'_>, units: &[Unit], spans: &Spans) {
        let (code, data): (Vec<&Unit>, Vec<&Unit>) = units.iter().partition(|unit| unit.class == Class::Code);
        let places = code.len().min(spans.places);
        for place in 0..places {
            for (turn, unit) in code.iter().skip(place).step_by(places).enumerate() {
                let address = spans.base + place as u64 * spans.stride;
                // A place is one segment, however many sections come there.
                if turn == 0 { self.open(graph, unit, Some(address)) } else { self.fill(graph, unit) }
            }
        }
        for (index, unit) in data.iter().enumerate() {
            let address = spans.base + places as u64 * spans.stride;
            if index == 0 { self.open(graph, unit, Some(address)) } else { self.join(graph, unit) }
        }
    }

    fn scatter_randomly(&mut self, graph: &LinkGraph<'_>, units: &[Unit], seed: u64) {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        // Who asks where variables begin and end counts on nothing else between them, and on the end of the image behind.
        let asked = asks_for_bounds_of_variables(graph);
        let held = |unit: &&Unit| asked && unit.class == Class::Write;
        let (held, free): (Vec<&Unit>, Vec<&Unit>) = units.iter().partition(held);
        // Blocks are found in the order in which they are in memory: the other order only comes after that.
        free.iter().for_each(|unit| self.open(graph, unit, None));
        let mut order: Vec<usize> = (0..free.len()).collect();
        for index in (1..order.len()).rev() {
            order.swap(index, random.below(index as u64 + 1) as usize);
        }
        let mut in_order: Vec<Option<Planned>> = std::mem::take(&mut self.segments).into_iter().map(Some).collect();
        self.segments = order.into_iter().filter_map(|index| in_order[index].take()).collect();
        self.base += random.below(0x1000) * self.page;
        for (index, unit) in held.into_iter().enumerate() {
            if index == 0 { self.open(graph, unit, None) } else { self.fill(graph, unit) }
        }
        for segment in &mut self.segments {
            // The gap stands in for a fixed address until sizes are known: see `assign`.
            segment.alignment = self.page << random.below(5);
        }
    }

    /// Gives every block its address. Called again whenever blocks were added or let go.
    pub(crate) fn assign(&mut self, graph: &mut LinkGraph<'_>) {
        self.place(graph);
        if self.sort_link_order(graph) {
            self.place(graph);
        }
    }

    fn place(&mut self, graph: &mut LinkGraph<'_>) {
        let target = graph.target;
        let mut segments = std::mem::take(&mut self.segments);
        for segment in &mut segments {
            for &block in &segment.blocks {
                segment.alignment = segment.alignment.max(graph.blocks[block].alignment);
            }
            if segment.lifetime != Lifetime::NoAlloc {
                segment.alignment = segment.alignment.max(self.page);
            }
        }
        if self.floating {
            let widest = segments.iter().map(|segment| segment.alignment).max().unwrap_or(1);
            if let Some(first) = segments.first_mut() {
                first.alignment = widest;
            }
        }
        let mut next = self.base;
        for (number, segment) in segments.iter_mut().enumerate() {
            let at = match (segment.lifetime, segment.fixed) {
                (Lifetime::NoAlloc, _) => 0,
                (_, Some(address)) => address,
                (_, None) => next,
            };
            let mut offset = 0;
            segment.address = target.wrap(align_up(at, segment.alignment));
            // By hand means there, not where it is aligned; the island before it comes before that.
            if segment.fixed.is_some() && segment.blocks.iter().any(|block| self.pins.contains_key(block)) {
                let start = at.saturating_sub(self.island_before(graph, &segment.blocks));
                offset = start % self.page;
                segment.address = start - offset;
                segment.alignment = self.page;
            }
            segment.content = 0;
            for unit in segment.blocks.chunk_by(|&a, &b| self.unit_of(a) == self.unit_of(b)) {
                offset = self.start_of(graph, unit, segment.address, offset);
                for &id in unit {
                    let block = &mut graph.blocks[id];
                    offset =
                        align_up(segment.address.wrapping_add(offset), block.alignment).wrapping_sub(segment.address);
                    block.address = target.wrap(segment.address.wrapping_add(offset));
                    block.segment = number as u32;
                    offset = offset.saturating_add(block.content.size());
                    if !block.content.is_zero() {
                        segment.content = offset;
                    }
                }
            }
            segment.size = offset;
            // Headers stand below all others, wherever that is: what follows begins at the base.
            if segment.blocks.first() != graph.headers.as_ref() {
                next = align_up(segment.address.wrapping_add(offset), self.page);
            }
        }
        self.segments = segments;
    }

    /// Where a unit with its islands starts, as an offset in its segment: so that the unit itself is aligned, or where it was
    /// placed by hand.
    fn start_of(&self, graph: &LinkGraph<'_>, blocks: &[BlockId], segment: u64, offset: u64) -> u64 {
        let island = self.island_before(graph, blocks);
        let first = blocks.iter().find(|block| self.home(**block).is_some_and(|home| home.part == Part::Unit));
        if let Some(&pin) = first.and_then(|first| self.pins.get(first)) {
            return offset.max(pin.saturating_sub(segment).saturating_sub(island));
        }
        let unit = blocks.first().and_then(|&block| self.unit_of(block));
        let alignment = unit.map_or(1, |unit| self.alignments[unit as usize]);
        let start = segment.wrapping_add(offset).wrapping_add(island);
        align_up(start, alignment).wrapping_sub(island).wrapping_sub(segment)
    }

    /// Tables in link order follow the addresses of what they are about. Whether anything moved.
    fn sort_link_order(&mut self, graph: &LinkGraph<'_>) -> bool {
        let mut moved = false;
        let (mut segments, mut pins) = (std::mem::take(&mut self.segments), std::mem::take(&mut self.pins));
        for segment in &mut segments {
            let in_order = |block: &BlockId| graph.sections[graph.blocks[*block].section].kind == Kind::LinkOrder;
            let Some(first) = segment.blocks.iter().position(in_order) else { continue };
            let together =
                |a: &BlockId, b: &BlockId| in_order(a) && in_order(b) && self.unit_of(*a) == self.unit_of(*b);
            for run in segment.blocks[first..].chunk_by_mut(together) {
                let address = |block: &BlockId| {
                    let link = graph.sections[graph.blocks[*block].section].link;
                    // What is about nothing marks the end.
                    link.and_then(|link| graph.sections[link].block_ids().next())
                        .map_or(u64::MAX, |block| graph.blocks[block].address)
                };
                if in_order(&run[0]) && !run.is_sorted_by_key(address) {
                    let pin = run.iter().find_map(|block| pins.remove(block));
                    run.sort_by_key(address);
                    pins.extend(pin.map(|pin| (run[0], pin)));
                    moved = true;
                }
            }
        }
        (self.segments, self.pins) = (segments, pins);
        moved
    }
}

/// Whether somebody asks for the bounds of initialised or zero-filled variables.
fn asks_for_bounds_of_variables(graph: &LinkGraph<'_>) -> bool {
    let asks = |definition| matches!(definition, Definition::Bound(Extent::Content | Extent::Zero, _));
    graph.symbols.iter().any(|(_, symbol)| asks(symbol.definition))
}

/// The initial image of each thread's variables, and where a thread has its copy: the thread pointer is at a control
/// block of two pointers, and behind that, as aligned as the image is, comes the copy (AAELF32 and AAELF64, variant 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadLocal {
    /// Address of the image.
    pub address: u64,
    /// Bytes of it, zero-fill included.
    pub size: u64,
    /// Bytes of it that are at that address; the rest of a copy is zero, whatever is behind them.
    pub content: u64,
    /// Required alignment of a copy, in bytes.
    pub alignment: u64,
    /// Where a copy begins, in bytes from the thread pointer.
    pub offset: u64,
}

impl Plan {
    /// The initial image of each thread's variables, when there are any.
    pub fn thread_local(&self, graph: &LinkGraph<'_>) -> Option<ThreadLocal> {
        let segment = self.segments.iter().find(|segment| segment.thread_local)?;
        let alignment = segment.blocks.iter().map(|&block| graph.blocks[block].alignment).max().unwrap_or(1);
        let offset = align_up(2 * graph.target.pointer_bytes() as u64, alignment);
        Some(ThreadLocal { address: segment.address, size: segment.size, content: segment.content, alignment, offset })
    }

    /// Where the segment of a block starts.
    pub(crate) fn origin(&self, graph: &LinkGraph<'_>, block: BlockId) -> u64 {
        self.segments.get(graph.blocks[block].segment as usize).map_or(0, |segment| segment.address)
    }
}

/// `value` rounded up to a multiple of a power of two; wraps at the end of the address space.
pub(crate) fn align_up(value: u64, alignment: u64) -> u64 {
    value.wrapping_add(alignment - 1) & !(alignment - 1)
}

/// A small generator of numbers that look random (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) % limit.max(1)
    }
}
