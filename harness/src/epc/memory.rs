//! Memory as a controller wants it: reserved by size alone, and given segments and protections only at finalization.
//!
//! [`linker::memory`] wants to know protections when memory is reserved. So what is reserved for a controller is a range of
//! addresses in the books kept here: its base comes from a reservation that is abandoned at once, which shows that the machine
//! has room there. Finalization then reserves the segments themselves, each at its place. Between the two nothing else gets
//! memory of the machine, apart from what is lent for the time of a call.
//!
//! Actions are wrapper functions with ORC's convention for results, and some of them are ours, so they are called from here and
//! not by the machine's own finalization. Protections are final before the first of them runs, as in LLVM's executor.

use std::ops::Range;

use linker::memory::{InFlight, Lifetime, Memory, MemoryError, Place, Protection, Segment};

use super::place::Try;
use super::session::{Allocation, Reservation, Session};
use crate::executor::Executor;
use crate::orc::sps;
use crate::orc::{self, AddressRange, FinalizeRequest, Group, WrapperCall};

/// Reservations at a time. Each looks for a gap between the others.
const MOST_RESERVATIONS: usize = 1 << 14;

/// Why memory cannot be had, used or given back.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error("no room for {size:#x} bytes: {why}")]
    NoRoom { size: u64, why: String },
    #[error("nothing is reserved at {0:#x}")]
    NotReserved(u64),
    #[error("nothing is in use at {0:#x}")]
    NotUsed(u64),
    #[error("{:#x} to {:#x} is not inside reserved memory", .0.start, .0.end)]
    Outside(Range<u64>),
    #[error("{:#x} to {:#x} is in use already", .0.start, .0.end)]
    InUse(Range<u64>),
    #[error("segment at {address:#x}: protection {group}, expected r--, rw- or r-x")]
    Protection { address: u64, group: Group },
    #[error("segment at {address:#x}: {content:#x} bytes of content in {size:#x}")]
    Content { address: u64, size: u64, content: usize },
    #[error("segment at {address:#x}: {size:#x} bytes are beyond the address space")]
    Beyond { address: u64, size: u64 },
    #[error("there are no segments")]
    Empty,
    #[error("{:#x} to {:#x} was given back by an action", .0.start, .0.end)]
    GivenBack(Range<u64>),
    #[error("action {number} at {function:#x}: {why}")]
    Action { number: usize, function: u64, why: String },
    #[error(transparent)]
    Machine(#[from] MemoryError),
}

impl<E: Executor> Session<'_, E> {
    /// Reserves whole pages and returns the first address.
    pub(super) fn reserve(&mut self, size: u64) -> Result<u64, String> {
        let page = self.placer.page;
        let no_room = |why: String| Refused::NoRoom { size, why }.to_string();
        if self.reservations.len() >= MOST_RESERVATIONS {
            return Err(no_room(format!("there are {MOST_RESERVATIONS} reservations, the most at a time")));
        }
        let mut why = "no range of addresses is that large".to_owned();
        let rounded = size.checked_next_multiple_of(page).filter(|&size| size > 0);
        let size = rounded.ok_or_else(|| no_room(why.clone()))?;
        let tries = self.placer.tries(size, &self.gaps());
        if tries.is_empty() {
            why = "nothing is free there".to_owned();
        }
        for place in tries {
            let wanted = match place {
                Try::At(address) => segment(address, size, 0, Protection::ReadWrite),
                Try::Within(gap) => {
                    let anywhere = segment(gap.start, size, 0, Protection::ReadWrite);
                    Segment { alignment: page, place: Place::Within(gap), ..anywhere }
                }
            };
            let probe = match self.executor.reserve(&[wanted]) {
                Ok(probe) => probe,
                Err(error) => {
                    why = error.to_string();
                    continue;
                }
            };
            let base = probe.address(0);
            self.executor.abandon(probe);
            let end = base.saturating_add(size);
            let taken = self.reservations.range(..end).next_back().filter(|(_, other)| other.end > base);
            if let Some((other, _)) = taken {
                why = format!("{base:#x} is in what is reserved at {other:#x}");
                continue;
            }
            self.placer.placed(base..end);
            self.reservations.insert(base, Reservation { end, allocations: Vec::new() });
            self.reserved = true;
            return Ok(base);
        }
        let place = self.placer.place;
        Err(no_room(if place == super::place::Policy::default() { why } else { format!("placed {place}: {why}") }))
    }

    /// Where nothing is reserved yet.
    fn gaps(&self) -> Vec<Range<u64>> {
        let mut gaps = Vec::new();
        for usable in &self.executor.info().usable {
            let mut start = *usable.start();
            let end = usable.end().saturating_add(1);
            for (&base, reservation) in self.reservations.range(usable.clone()) {
                gaps.push(start..base);
                start = reservation.end;
            }
            gaps.push(start..end);
        }
        gaps.retain(|gap| gap.start < gap.end);
        gaps
    }

    /// LLVM up to 21: makes a reservation usable. One for which this fails is gone.
    pub(super) fn finalize(&mut self, request: &FinalizeRequest<'_>) -> Result<(), String> {
        self.executor.renew();
        let Some(base) = request.segments.iter().map(|segment| segment.address).min() else {
            return if request.actions.is_empty() { Ok(()) } else { Err(Refused::Empty.to_string()) };
        };
        let used = self.reservations.get(&base).map(|room| !room.allocations.is_empty());
        let used = used.ok_or_else(|| Refused::NotReserved(base).to_string())?;
        let finalized = self.initialize(request);
        if finalized.is_err() && !used {
            // What went wrong first is what is reported.
            let _ = self.release(&[base]);
        }
        finalized.map(|_| ())
    }

    /// LLVM 22 and 23: makes memory inside a reservation usable, and returns the key that [`Session::deinitialize`] wants.
    pub(super) fn initialize(&mut self, request: &FinalizeRequest<'_>) -> Result<u64, String> {
        self.allocate(request).map_err(|refused| refused.to_string())
    }

    fn allocate(&mut self, request: &FinalizeRequest<'_>) -> Result<u64, Refused> {
        let page = self.executor.page_size();
        let segments: Vec<_> = request.segments.iter().map(check).collect::<Result<_, _>>()?;
        let ends = request.segments.iter().map(|segment| segment.address + segment.size);
        let key = request.segments.iter().map(|segment| segment.address).min().ok_or(Refused::Empty)?;
        let end = ends.max().unwrap_or(key);
        let beyond = Refused::Beyond { address: key, size: end - key };
        let pages = key - key % page..end.checked_next_multiple_of(page).ok_or(beyond)?;
        let room = self.reservations.range(..=pages.start).next_back();
        let (&base, room) = room.filter(|(_, room)| pages.end <= room.end).ok_or(Refused::Outside(pages.clone()))?;
        if room.allocations.iter().any(|used| used.pages.start < pages.end && pages.start < used.pages.end) {
            return Err(Refused::InUse(pages));
        }
        // What is needed only until the actions have run is an allocation of its own.
        let (brief, lasting): (Vec<_>, Vec<_>) = segments.into_iter().partition(|(group, ..)| group.brief());
        let mut memory = vec![load(self.executor, &lasting)?];
        match load(self.executor, &brief) {
            Ok(brief) => memory.push(brief),
            Err(refused) => {
                self.executor.release(memory)?;
                return Err(refused);
            }
        }
        let undo = match self.act(request) {
            Ok(undo) => undo,
            Err(refused) => {
                self.executor.release(memory)?;
                return Err(refused);
            }
        };
        self.executor.release(memory.split_off(1))?;
        let code = lasting.iter().filter(|(_, segment, _)| segment.protection == Protection::ReadExecute);
        let code = code.filter_map(|(_, segment, _)| match segment.place {
            Place::At(start) => Some(start..start.saturating_add(segment.size)),
            _ => None,
        });
        let allocation = Allocation { key, pages: pages.clone(), memory, code: code.collect(), undo };
        match self.reservations.get_mut(&base) {
            Some(room) => room.allocations.push(allocation),
            None => {
                self.give_back(allocation)?;
                return Err(Refused::GivenBack(pages));
            }
        }
        Ok(key)
    }

    /// Runs the actions and returns what takes them back. When one fails, those before it are taken back.
    fn act(&mut self, request: &FinalizeRequest<'_>) -> Result<Vec<(u64, Vec<u8>)>, Refused> {
        let mut undo = Vec::new();
        for (number, action) in request.actions.iter().enumerate() {
            if let Err(refused) = self.call_action(number, action.finalize) {
                let _ = self.undo(undo);
                return Err(refused);
            }
            let WrapperCall { function, arguments } = action.deallocate;
            undo.push((function, arguments.to_vec()));
        }
        Ok(undo)
    }

    fn undo(&mut self, calls: Vec<(u64, Vec<u8>)>) -> Result<(), Refused> {
        let mut first = Ok(());
        for (number, (function, arguments)) in calls.iter().enumerate().rev() {
            first = first.and(self.call_action(number, WrapperCall { function: *function, arguments }));
        }
        first
    }

    fn call_action(&mut self, number: usize, call: WrapperCall<'_>) -> Result<(), Refused> {
        let WrapperCall { function, arguments } = call;
        if function == 0 {
            return Ok(());
        }
        // Functions of ours finalize and deallocate, too: without an end to it, messages within messages would be calls within
        // calls.
        if std::mem::replace(&mut self.acting, true) {
            return Err(Refused::Action { number, function, why: "it is an action of an action".to_owned() });
        }
        let answer = self.invoke(function, arguments);
        self.acting = false;
        let result = answer.and_then(|answer| sps::decode(&answer).map_err(|error| format!("its result: {error}")));
        result.and_then(|sps::Error(result)| result).map_err(|why| Refused::Action { number, function, why })
    }

    /// LLVM 22 and 23: takes memory out of use, which stays reserved.
    pub(super) fn deinitialize(&mut self, keys: &[u64]) -> Result<(), String> {
        let all = keys.iter().rev().map(|&key| {
            let room = self.reservations.range_mut(..=key).next_back();
            let allocations = room.map(|(_, room)| &mut room.allocations).ok_or(Refused::NotUsed(key))?;
            let found = allocations.iter().position(|used| used.key == key).ok_or(Refused::NotUsed(key))?;
            let allocation = allocations.remove(found);
            self.give_back(allocation)
        });
        all_of(all)
    }

    /// Gives reservations back, with what is in use there.
    pub(super) fn release(&mut self, bases: &[u64]) -> Result<(), String> {
        let all = bases.iter().rev().map(|base| {
            let room = self.reservations.remove(base).ok_or(Refused::NotReserved(*base))?;
            self.placer.released(*base..room.end);
            let back = room.allocations.into_iter().rev().map(|allocation| self.give_back(allocation));
            back.fold(Ok(()), Result::and)
        });
        all_of(all)
    }

    fn give_back(&mut self, allocation: Allocation<E::Finalized>) -> Result<(), Refused> {
        let Range { start, end } = allocation.pages;
        self.deregister(&AddressRange { start, end });
        let undone = self.undo(allocation.undo);
        let released = self.executor.release(allocation.memory).map_err(Refused::from);
        undone.and(released)
    }

    /// Gives back what the controller left.
    pub(super) fn close(&mut self) {
        let bases: Vec<u64> = self.reservations.keys().copied().collect();
        if let Err(why) = self.release(&bases) {
            (self.report)(&why);
        }
    }
}

/// All of it is done; what fails is listed.
fn all_of(all: impl Iterator<Item = Result<(), Refused>>) -> Result<(), String> {
    let failed: Vec<String> = all.filter_map(Result::err).map(|refused| refused.to_string()).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}

type Checked<'a> = (Group, Segment, &'a [u8]);

/// A segment in the words of the contract.
fn check<'a>(wanted: &orc::Segment<'a>) -> Result<Checked<'a>, Refused> {
    let &orc::Segment { group, address, size, content } = wanted;
    let group = Group(group);
    let protection = group.protection().ok_or(Refused::Protection { address, group })?;
    if content.len() as u64 > size {
        return Err(Refused::Content { address, size, content: content.len() });
    }
    address.checked_add(size).ok_or(Refused::Beyond { address, size })?;
    Ok((group, segment(address, size, content.len(), protection), content))
}

fn segment(address: u64, size: u64, content: usize, protection: Protection) -> Segment {
    let place = Place::At(address);
    let lifetime = Lifetime::Standard;
    Segment { size, content, alignment: 1, protection, relro: false, thread_local: None, lifetime, place }
}

/// Puts segments with content into the machine.
fn load<M: Memory>(machine: &mut M, segments: &[Checked<'_>]) -> Result<M::Finalized, Refused> {
    let wanted: Vec<Segment> = segments.iter().map(|(_, segment, _)| segment.clone()).collect();
    let mut memory = machine.reserve(&wanted)?;
    for (number, (.., content)) in segments.iter().enumerate() {
        memory.content(number).copy_from_slice(content);
    }
    Ok(machine.finalize(memory, &[])?)
}
