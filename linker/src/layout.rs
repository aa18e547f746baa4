//! Layout: which blocks lie together, in which order, and where.
//!
//! Live blocks form *units*: a section's blocks, or all sections that have to be adjacent because somebody asks for the
//! bounds of their name. Units go into *segments* of one protection. A policy gives the segments their places.

use rustc_hash::FxHashMap;

use crate::error::{Error, Result, Site, object_name, text};
use crate::graph::{Content, Kind, LinkGraph};
use crate::index::BlockId;
use crate::link::Limits;
use crate::memory::{Lifetime, Place, Protection, Segment};

mod bounds;
mod by_hand;
mod text;
mod units;

use units::{Class, Unit, joint, live_blocks, units};

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
    /// `at:FILE(SECTION)=ADDRESS,...`: these sections there, the rest near.
    At(Vec<At>),
}

/// One placement by hand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct At {
    /// File name of the object, with the member in parentheses for an archive; `linker` for what the linker makes.
    pub file: String,
    /// Section name.
    pub section: String,
    /// Address.
    pub address: u64,
}

/// The distances an architecture gives to policies, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spans {
    /// Where `near` starts.
    pub base: u64,
    /// How far apart `far` puts sections of code: beyond the reach of a call.
    pub stride: u64,
    /// How many such places there are before they are used again, so that data stays in reach of what has to reach it.
    pub places: usize,
    /// Where `high` puts code.
    pub high: u64,
    /// Where `high` puts data, if not behind the code.
    pub high_data: Option<u64>,
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
    /// Where blocks have to be that were placed by hand.
    pins: FxHashMap<BlockId, u64>,
}

impl Plan {
    /// Distributes the live blocks over segments by `layout`. Addresses follow from [`Plan::assign`].
    pub(crate) fn new(graph: &LinkGraph<'_>, layout: &Layout, page: u64, origin: u64) -> Result<Plan> {
        let Spans { base, high_data, .. } = graph.arch.spans();
        let moved = |address: u64| graph.target.wrap(address.wrapping_add(origin));
        let spans = Spans { base: moved(base), high_data: high_data.map(moved), ..graph.arch.spans() };
        let units = units(graph);
        let mut plan = Plan { floating: *layout == Layout::Anywhere, page, base: spans.base, ..Plan::default() };
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
            Layout::Random(seed) => plan.scatter_randomly(graph, units, *seed),
            Layout::At(list) => plan.place_by_hand(graph, &units, list)?,
        }
        // What is never loaded comes behind all that is, and has no address.
        plan.segments.sort_by_key(|segment| segment.lifetime == Lifetime::NoAlloc);
        Ok(plan)
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
            segment.blocks.extend(live_blocks(graph, unit));
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
                self.open(graph, unit, (turn == 0).then_some(address));
            }
        }
        for (index, unit) in data.iter().enumerate() {
            let address = spans.base + places as u64 * spans.stride;
            if index == 0 { self.open(graph, unit, Some(address)) } else { self.open(graph, unit, None) }
        }
    }

    fn scatter_randomly(&mut self, graph: &LinkGraph<'_>, mut units: Vec<Unit>, seed: u64) {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for index in (1..units.len()).rev() {
            units.swap(index, random.below(index as u64 + 1) as usize);
        }
        self.base += random.below(0x1000) * self.page;
        for unit in &units {
            self.open(graph, unit, None);
            // The gap stands in for a fixed address until sizes are known: see `assign`.
            if let Some(segment) = self.segments.last_mut() {
                segment.alignment = self.page << random.below(5);
            }
        }
    }

    /// Gives every block its address. Called again whenever blocks were added.
    pub(crate) fn assign(&mut self, graph: &mut LinkGraph<'_>) {
        self.place(graph);
        if self.sort_link_order(graph) {
            self.place(graph);
        }
    }

    fn place(&mut self, graph: &mut LinkGraph<'_>) {
        let target = graph.target;
        for segment in &mut self.segments {
            for &block in &segment.blocks {
                segment.alignment = segment.alignment.max(graph.blocks[block].alignment);
            }
            if segment.lifetime != Lifetime::NoAlloc {
                segment.alignment = segment.alignment.max(self.page);
            }
        }
        if self.floating {
            let widest = self.segments.iter().map(|segment| segment.alignment).max().unwrap_or(1);
            if let Some(first) = self.segments.first_mut() {
                first.alignment = widest;
            }
        }
        let mut next = self.base;
        for (number, segment) in self.segments.iter_mut().enumerate() {
            let at = match (segment.lifetime, segment.fixed) {
                (Lifetime::NoAlloc, _) => 0,
                (_, Some(address)) => address,
                (_, None) => next,
            };
            // By hand means there, not where it is aligned; stubs may have come before what was placed.
            let by_hand = segment.fixed.is_some() && segment.blocks.iter().any(|block| self.pins.contains_key(block));
            let mut offset = 0;
            segment.address = target.wrap(align_up(at, segment.alignment));
            if by_hand {
                let before = segment.blocks.iter().take_while(|block| !self.pins.contains_key(block));
                let lead: u64 = before.map(|&block| align_up(graph.blocks[block].content.size(), 8)).sum();
                let start = at.saturating_sub(lead);
                offset = start % self.page;
                segment.address = start - offset;
                segment.alignment = self.page;
            }
            segment.content = 0;
            for &id in &segment.blocks {
                let block = &mut graph.blocks[id];
                if let Some(&pin) = self.pins.get(&id) {
                    offset = offset.max(pin.saturating_sub(segment.address));
                }
                offset = align_up(segment.address.wrapping_add(offset), block.alignment).wrapping_sub(segment.address);
                block.address = target.wrap(segment.address.wrapping_add(offset));
                block.segment = number as u32;
                offset += block.content.size();
                if !block.content.is_zero() {
                    segment.content = offset;
                }
            }
            segment.size = offset;
            next = align_up(segment.address.wrapping_add(offset), self.page);
        }
    }

    /// Tables in link order follow the addresses of what they are about. Whether anything moved.
    fn sort_link_order(&mut self, graph: &LinkGraph<'_>) -> bool {
        let mut moved = false;
        for segment in &mut self.segments {
            let in_order = |block: &BlockId| graph.sections[graph.blocks[*block].section].kind == Kind::LinkOrder;
            let Some(first) = segment.blocks.iter().position(in_order) else { continue };
            let unit = |block: &BlockId| joint(graph, graph.blocks[*block].section);
            let together = |a: &BlockId, b: &BlockId| in_order(a) && in_order(b) && unit(a) == unit(b);
            for run in segment.blocks[first..].chunk_by_mut(together) {
                let address = |block: &BlockId| {
                    let link = graph.sections[graph.blocks[*block].section].link;
                    // What is about nothing marks the end.
                    link.and_then(|link| graph.sections[link].block_ids().next())
                        .map_or(u64::MAX, |block| graph.blocks[block].address)
                };
                if in_order(&run[0]) && !run.is_sorted_by_key(address) {
                    let pin = run.iter().find_map(|block| self.pins.remove(block));
                    run.sort_by_key(address);
                    self.pins.extend(pin.map(|pin| (run[0], pin)));
                    moved = true;
                }
            }
        }
        moved
    }

    /// The reservation that this plan asks for.
    pub(crate) fn request(&self, graph: &LinkGraph<'_>, limits: &Limits) -> Result<Vec<Segment>> {
        self.check_pins(graph)?;
        self.check_overlaps(graph)?;
        self.check_padding(graph, limits)?;
        let first = self.segments.first().map_or(0, |segment| segment.address);
        let place = |index: usize, segment: &Planned| match (self.floating, index) {
            (true, 0) => Place::Anywhere,
            (true, _) => Place::Offset(segment.address.wrapping_sub(first)),
            (false, _) => Place::At(segment.address),
        };
        let segment = |(index, planned): (usize, &Planned)| Segment {
            size: planned.size,
            content: planned.content as usize,
            alignment: planned.alignment,
            protection: planned.protection,
            relro: planned.relro,
            thread_local: self.thread_local(graph).filter(|_| planned.thread_local).map(|image| image.alignment),
            lifetime: planned.lifetime,
            place: if planned.lifetime == Lifetime::NoAlloc { Place::Anywhere } else { place(index, planned) },
        };
        Ok(self.segments.iter().enumerate().map(segment).collect())
    }

    /// Alignment inside a segment costs bytes that nobody asked for.
    fn check_padding(&self, graph: &LinkGraph<'_>, limits: &Limits) -> Result<()> {
        let mut padding = 0u64;
        for segment in &self.segments {
            let contents = segment.blocks.iter().map(|&block| &graph.blocks[block].content);
            let size: u64 = contents.filter(|content| !content.is_zero()).map(Content::size).sum();
            padding = padding.saturating_add(segment.content.saturating_sub(size));
            if padding > limits.size
                && let Some(&block) = segment.blocks.first()
            {
                let site = Box::new(Site::section(graph, graph.blocks[block].section));
                let what = format!("the padding between sections, {padding:#x} bytes up to here,");
                return Err(Error::Limit { site, what, limit: limits.size });
            }
        }
        Ok(())
    }

    fn check_overlaps(&self, graph: &LinkGraph<'_>) -> Result<()> {
        let mut spans: Vec<(u64, u64, &Planned)> = self
            .segments
            .iter()
            .filter(|segment| segment.lifetime != Lifetime::NoAlloc && segment.size > 0)
            .map(|segment| (segment.address, segment.address.saturating_add(segment.size - 1), segment))
            .collect();
        let wraps = |segment: &&Planned| segment.address.checked_add(segment.size.saturating_sub(1)).is_none();
        spans.sort_by_key(|span| (span.0, span.1));
        let name = |segment: &Planned| {
            let section = segment.blocks.first().map(|&block| &graph.sections[graph.blocks[block].section]);
            section.map_or(String::new(), |s| format!("{}({})", object_name(&graph.objects[s.object]), text(s.name)))
        };
        let limit = graph.target.wrap(u64::MAX);
        for pair in spans.windows(2) {
            // Protections hold for pages, so two segments cannot share one.
            if pair[0].1 | (self.page - 1) >= pair[1].0 {
                return Err(Error::Layout(format!(
                    "{} at {:#x} and {} at {:#x} overlap or share a page",
                    name(pair[0].2),
                    pair[0].0,
                    name(pair[1].2),
                    pair[1].0
                )));
            }
        }
        let beyond = spans.iter().find(|span| span.1 > limit).map(|span| span.2);
        match beyond.or_else(|| self.segments.iter().find(wraps)) {
            Some(segment) => {
                let at = segment.address;
                Err(Error::Layout(format!("{} at {at:#x} reaches beyond the address space", name(segment))))
            }
            None => Ok(()),
        }
    }
}

/// The initial image of each thread's variables, and where a thread has its copy: the thread pointer is at a control
/// block of two pointers, and behind that, as aligned as the image is, comes the copy (AAELF32 and AAELF64, variant 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadLocal {
    /// Address of the image.
    pub address: u64,
    /// Bytes of it, zero-fill included.
    pub size: u64,
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
        Some(ThreadLocal { address: segment.address, size: segment.size, alignment, offset })
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
