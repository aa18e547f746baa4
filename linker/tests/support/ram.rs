//! Target memory for tests: segments in vectors, every reservation counted until it is given back.

use linker::memory::{Action, InFlight, Memory, MemoryError, Place, Segment};

/// Where segments go that may be anywhere.
pub(crate) const BASE: u64 = 0x10_0000;

/// A segment with its address and bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    /// What was asked for.
    pub(crate) segment: Segment,
    /// Where it is.
    pub(crate) address: u64,
    /// Its content.
    pub(crate) bytes: Vec<u8>,
}

/// What a reservation lends.
#[derive(Debug)]
pub(crate) struct Lent(pub(crate) Vec<Placed>);

impl InFlight for Lent {
    fn address(&self, segment: usize) -> u64 {
        self.0[segment].address
    }
    fn content(&mut self, segment: usize) -> &mut [u8] {
        &mut self.0[segment].bytes
    }
}

/// The memory.
#[derive(Debug, Default)]
pub(crate) struct Ram {
    /// Most bytes of content that one reservation may have, 0 for no limit.
    pub(crate) limit: usize,
    /// Whether finalization fails.
    pub(crate) refuses: bool,
    /// Reservations so far.
    pub(crate) reserved: usize,
    /// Of these, abandoned.
    pub(crate) abandoned: usize,
    /// Of these, finalized.
    pub(crate) finalized: usize,
    /// Bytes of the last reservation's buffers.
    pub(crate) lent: usize,
    /// Actions of the last finalization.
    pub(crate) actions: Vec<Action>,
}

impl Memory for Ram {
    type InFlight = Lent;
    type Finalized = Vec<Placed>;

    fn page_size(&self) -> u64 {
        4096
    }

    fn reserve(&mut self, segments: &[Segment]) -> Result<Lent, MemoryError> {
        let size: usize = segments.iter().map(|segment| segment.content).sum();
        if self.limit != 0 && size > self.limit {
            return Err(format!("{size} bytes are more than {}", self.limit).into());
        }
        self.reserved += 1;
        self.lent = size;
        let place = |segment: &Segment| {
            let address = match segment.place {
                Place::At(address) => address,
                Place::Offset(offset) => BASE + offset,
                Place::Within(ref range) => range.start,
                Place::Anywhere => BASE,
            };
            Placed { segment: segment.clone(), address, bytes: vec![0; segment.content] }
        };
        Ok(Lent(segments.iter().map(place).collect()))
    }

    fn finalize(&mut self, memory: Lent, actions: &[Action]) -> Result<Vec<Placed>, MemoryError> {
        self.actions = actions.to_vec();
        if self.refuses {
            return Err("refused".into());
        }
        self.finalized += 1;
        Ok(memory.0)
    }

    fn abandon(&mut self, _: Lent) {
        self.abandoned += 1;
    }

    fn release(&mut self, _: Vec<Vec<Placed>>) -> Result<(), MemoryError> {
        Ok(())
    }
}
