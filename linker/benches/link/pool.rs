//! Target memory that costs nothing: addresses without anything behind them, and buffers that are used again.

use linker::link::Found;
use linker::memory::{Action, InFlight, Memory, MemoryError, Place, Segment};

/// The buffers that nobody uses now.
#[derive(Default)]
pub(crate) struct Pool(Vec<Vec<u8>>);

/// The buffers of one link, by segment, with their addresses.
pub(crate) struct Lent(Vec<(u64, Vec<u8>)>);

impl InFlight for Lent {
    fn address(&self, segment: usize) -> u64 {
        self.0[segment].0
    }
    fn content(&mut self, segment: usize) -> &mut [u8] {
        &mut self.0[segment].1
    }
}

impl Memory for Pool {
    type InFlight = Lent;
    type Finalized = ();

    fn page_size(&self) -> u64 {
        4096
    }

    fn reserve(&mut self, segments: &[Segment]) -> Result<Lent, MemoryError> {
        let lend = |segment: &Segment| {
            let mut buffer = self.0.pop().unwrap_or_default();
            buffer.clear();
            buffer.resize(segment.content, 0);
            match segment.place {
                Place::At(address) => (address, buffer),
                _ => (0, buffer),
            }
        };
        // The pool is a stack.
        let mut lent: Vec<_> = segments.iter().rev().map(lend).collect();
        lent.reverse();
        Ok(Lent(lent))
    }

    fn finalize(&mut self, memory: Lent, _: &[Action]) -> Result<(), MemoryError> {
        self.abandon(memory);
        Ok(())
    }

    fn abandon(&mut self, memory: Lent) {
        self.0.extend(memory.0.into_iter().map(|(_, buffer)| buffer));
    }

    fn release(&mut self, _: Vec<()>) -> Result<(), MemoryError> {
        Ok(())
    }
}

/// Functions for names that no object has: out of reach of a branch in `near`, each elsewhere.
pub(crate) fn outside() -> impl FnMut(&str) -> Option<Found> {
    let mut next = 0x7000_0000;
    move |_: &str| {
        next += 16;
        Some(Found::Function(next))
    }
}
