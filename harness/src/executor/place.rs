//! Finds addresses for the segments of a reservation. It is shared by the executors that have an address space of their own
//! to hand out.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use linker::memory::{Lifetime, Place, Protection, Segment};

/// An executor does not have memory where it was asked to put a segment: the case does not run there, and is counted as
/// skipped, not as failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot place segment {segment}: {reason}")]
pub struct PlacementRefused {
    /// Number of the segment in the request.
    pub segment: usize,
    /// Why.
    pub reason: String,
}

/// Address ranges in use, each with what the owner wants to know about it. Ranges are inclusive, so that the last byte of
/// the address space can be in one.
#[derive(Debug)]
pub struct Ranges<T> {
    map: BTreeMap<u64, (u64, T)>,
}

impl<T> Default for Ranges<T> {
    fn default() -> Self {
        Ranges { map: BTreeMap::new() }
    }
}

impl<T> Ranges<T> {
    /// The range that holds `address`.
    pub fn at(&self, address: u64) -> Option<(RangeInclusive<u64>, &T)> {
        let (&start, (last, value)) = self.map.range(..=address).next_back()?;
        (*last >= address).then_some((start..=*last, value))
    }

    /// Where the first range begins that begins at an address or behind it.
    pub fn after(&self, address: u64) -> Option<u64> {
        self.map.range(address..).next().map(|(&start, _)| start)
    }

    /// Some range that overlaps this one.
    pub fn conflict(&self, range: &RangeInclusive<u64>) -> Option<RangeInclusive<u64>> {
        let (&start, (last, _)) = self.map.range(..=*range.end()).next_back()?;
        (*last >= *range.start()).then_some(start..=*last)
    }

    /// What belongs to the ranges that overlap this one, from the last to the first.
    pub fn overlapping(&self, range: &RangeInclusive<u64>) -> impl Iterator<Item = &T> {
        let start = *range.start();
        let before = self.map.range(..=*range.end()).rev();
        before.take_while(move |(_, (last, _))| *last >= start).map(|(_, (_, value))| value)
    }

    /// Adds a range, which must not overlap another.
    pub fn insert(&mut self, range: RangeInclusive<u64>, value: T) {
        debug_assert!(self.conflict(&range).is_none());
        self.map.insert(*range.start(), (*range.end(), value));
    }

    /// What belongs to the range that starts here.
    pub fn get_mut(&mut self, start: u64) -> Option<&mut T> {
        self.map.get_mut(&start).map(|(_, value)| value)
    }

    /// Removes the range that starts here, and returns its last address.
    pub fn remove(&mut self, start: u64) -> Option<u64> {
        self.map.remove(&start).map(|(last, _)| last)
    }

    /// Parts the range that holds `address` in two, of which the second begins there. Nothing changes where none does, or where one
    /// begins there already.
    pub fn split(&mut self, address: u64)
    where
        T: Clone,
    {
        let Some((&start, (last, value))) = self.map.range_mut(..address).next_back() else { return };
        if *last < address {
            return;
        }
        debug_assert!(start < address);
        let behind = (std::mem::replace(last, address - 1), value.clone());
        self.map.insert(address, behind);
    }

    /// The ranges that overlap this one, by address.
    pub fn within(&self, range: &RangeInclusive<u64>) -> impl Iterator<Item = (RangeInclusive<u64>, &T)> {
        let before = self.at(*range.start()).map_or(*range.start(), |(first, _)| *first.start());
        self.map.range(before..=*range.end()).map(|(&start, (last, value))| (start..=*last, value))
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.map.clear();
    }
}

/// Pages that share one fate: a part of a placement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Whole pages, not wrapping.
    pub pages: RangeInclusive<u64>,
    /// Protection of the segments in it.
    pub protection: Protection,
    /// Whether they are written until the actions have run.
    pub relro: bool,
    /// How long they stay.
    pub lifetime: Lifetime,
}

/// The addresses of a request's segments, and the pages they need.
#[derive(Clone, Debug, Default)]
pub struct Placement {
    /// Address by segment; 0 for those that are never loaded.
    pub addresses: Vec<u64>,
    /// The pages, in address order.
    pub spans: Vec<Span>,
}

/// What has been placed so far.
#[derive(Default)]
struct Placed {
    addresses: Vec<u64>,
    spans: Ranges<Span>,
    /// What the segments themselves occupy.
    bytes: Ranges<()>,
}

/// The address space to place into.
pub struct Space<'a> {
    /// Bytes in a page.
    pub page: u64,
    /// The last address there is.
    pub last: u64,
    /// Where segments may be.
    pub usable: &'a [RangeInclusive<u64>],
    /// Where `Anywhere` starts looking.
    pub base: u64,
    /// Whether something is there already.
    pub conflict: &'a dyn Fn(&RangeInclusive<u64>) -> Option<RangeInclusive<u64>>,
}

/// A bound on the search, far above what gaps between a handful of segments can need.
const TRIES: usize = 10_000;

impl Space<'_> {
    /// Places all segments or says which one has no place.
    pub fn place(&self, segments: &[Segment]) -> Result<Placement, PlacementRefused> {
        let mut placement = Placed { addresses: vec![0; segments.len()], ..Placed::default() };
        // `Offset` counts from the first segment that has an address at all.
        let loaded = |segment: &&Segment| segment.lifetime != Lifetime::NoAlloc;
        let Some(anchor) = segments.iter().position(|segment| loaded(&segment)) else {
            return Ok(Placement { addresses: placement.addresses, spans: Vec::new() });
        };
        let mut group: Vec<(usize, u64)> = vec![(anchor, 0)];
        for (index, segment) in segments.iter().enumerate().skip(anchor + 1).filter(|(_, segment)| loaded(segment)) {
            if let Place::Offset(offset) = segment.place {
                group.push((index, offset));
            }
        }
        self.search(segments, &group, &mut placement)?;
        for (index, segment) in segments.iter().enumerate().skip(anchor + 1).filter(|(_, segment)| loaded(segment)) {
            if !matches!(segment.place, Place::Offset(_)) {
                self.search(segments, &[(index, 0)], &mut placement)?;
            }
        }
        let spans = placement.spans.map.into_values().map(|(_, span)| span).collect();
        Ok(Placement { addresses: placement.addresses, spans })
    }

    /// Finds a base for a group of segments at fixed distances from each other.
    fn search(
        &self,
        segments: &[Segment],
        group: &[(usize, u64)],
        placement: &mut Placed,
    ) -> Result<(), PlacementRefused> {
        let (first, _) = group[0];
        let segment = &segments[first];
        let refuse = |segment: usize, reason: String| PlacementRefused { segment, reason };
        // Only free searches move in whole pages; alignments are usually smaller and sometimes larger.
        let step = segment.alignment.max(self.page);
        let (mut base, end, fixed) = match &segment.place {
            Place::At(address) | Place::Offset(address) => (*address, *address, true),
            Place::Anywhere => (self.base, self.last, false),
            Place::Within(range) => (range.start, range.end.wrapping_sub(1), false),
        };
        if !fixed {
            // A range may start inside a page that is in use: whole pages, where the range has one.
            let aligned = base.checked_next_multiple_of(step);
            base = aligned.ok_or_else(|| refuse(first, "no address is aligned enough".to_owned()))?;
        }
        let mut reason = String::new();
        for _ in 0..TRIES {
            if !fixed && (base > end || end - base < segment.size.saturating_sub(1)) {
                let why = if reason.is_empty() { "the range is too small".to_owned() } else { reason };
                return Err(refuse(first, why));
            }
            let mut blocked = None;
            let mut new = Placed::default();
            for &(index, offset) in group {
                let address = base.wrapping_add(offset) & self.last;
                match self.spans(&segments[index], address, placement, &mut new) {
                    Ok(()) => {}
                    Err((why, next)) => {
                        // Where this member would be behind what is in its way, seen from the base.
                        blocked = Some((index, why, next.map(|next| next.wrapping_sub(offset) & self.last)));
                        break;
                    }
                }
            }
            let Some((index, why, next)) = blocked else {
                for &(index, offset) in group {
                    placement.addresses[index] = base.wrapping_add(offset) & self.last;
                }
                new.spans.map.into_values().for_each(|(_, span)| merge(&mut placement.spans, span));
                // Not `append`, which takes as long as all that is there.
                placement.bytes.map.extend(new.bytes.map);
                return Ok(());
            };
            if fixed {
                return Err(refuse(index, why));
            }
            reason = why;
            let next = next.filter(|&next| next > base).unwrap_or(base.saturating_add(step));
            let aligned = next.checked_next_multiple_of(step);
            base = aligned.ok_or_else(|| refuse(index, reason.clone()))?;
            if base > self.last {
                return Err(refuse(index, reason));
            }
        }
        Err(refuse(first, reason))
    }

    /// The pages of one segment at one address, or what is in the way and where that ends.
    fn spans(
        &self,
        segment: &Segment,
        address: u64,
        placed: &Placed,
        new: &mut Placed,
    ) -> Result<(), (String, Option<u64>)> {
        if !segment.alignment.is_power_of_two() || address & (segment.alignment - 1) != 0 {
            return Err((format!("{address:#x} is not a multiple of {:#x}", segment.alignment), None));
        }
        if segment.content as u64 > segment.size {
            return Err((format!("{} bytes of content in {}", segment.content, segment.size), None));
        }
        if address > self.last || segment.size > self.last {
            return Err((format!("{address:#x} is outside the address space"), None));
        }
        if segment.size == 0 {
            return Ok(());
        }
        let last = address.wrapping_add(segment.size - 1) & self.last;
        let (start, end) = (address & !(self.page - 1), last | (self.page - 1));
        // A segment that wraps is two runs of pages.
        let runs: &[_] = if last >= address {
            &[(start..=end, address..=last)]
        } else {
            &[(start..=self.last, address..=self.last), (0..=end, 0..=last)]
        };
        for (pages, bytes) in runs {
            if !self.usable.iter().any(|range| range.contains(pages.start()) && range.contains(pages.end())) {
                let next = self.usable.iter().map(|range| *range.start()).filter(|&from| from > *pages.start()).min();
                return Err((format!("{:#x} to {:#x} is not all usable", pages.start(), pages.end()), next));
            }
            if let Some(used) = (self.conflict)(pages) {
                let why = format!("{:#x} to {:#x} is in use", used.start(), used.end());
                return Err((why, used.end().checked_add(1)));
            }
            if let Some(other) = placed.bytes.conflict(bytes).or_else(|| new.bytes.conflict(bytes)) {
                let why = format!("{:#x} to {:#x} is another segment's", other.start(), other.end());
                return Err((why, other.end().checked_add(1)));
            }
            let Segment { protection, relro, lifetime, .. } = *segment;
            let span = Span { pages: pages.clone(), protection, relro, lifetime };
            // Neighbours of one kind may share a page.
            let alike = |other: &Span| (other.protection, other.relro, other.lifetime) == (protection, relro, lifetime);
            let clash = |spans: &Ranges<Span>| spans.overlapping(pages).find(|other| !alike(other)).cloned();
            if let Some(other) = clash(&placed.spans).or_else(|| clash(&new.spans)) {
                let page = pages.start().max(other.pages.start());
                let (one, two) = (other.protection.letters(), protection.letters());
                return Err((
                    format!("the page at {page:#x} would be {one} and {two}"),
                    other.pages.end().checked_add(1),
                ));
            }
            merge(&mut new.spans, span);
            new.bytes.insert(bytes.clone(), ());
        }
        Ok(())
    }
}

/// Adds a span that may share pages with others of its kind.
fn merge(all: &mut Ranges<Span>, mut span: Span) {
    let shared: Vec<RangeInclusive<u64>> = all.overlapping(&span.pages).map(|other| other.pages.clone()).collect();
    for other in shared {
        all.remove(*other.start());
        span.pages = *span.pages.start().min(other.start())..=*span.pages.end().max(other.end());
    }
    all.insert(span.pages.clone(), span);
}
