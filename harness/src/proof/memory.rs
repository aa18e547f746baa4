//! Target memory that nothing runs in.

use linker::memory::{Action, InFlight, Memory, MemoryError, Place, Segment};

/// Memory that is wherever it is asked to be.
#[derive(Debug)]
pub(crate) struct Anywhere;

#[derive(Debug)]
pub(crate) struct Buffers(Vec<(u64, Vec<u8>)>);

impl InFlight for Buffers {
    fn address(&self, segment: usize) -> u64 {
        self.0[segment].0
    }
    fn content(&mut self, segment: usize) -> &mut [u8] {
        &mut self.0[segment].1
    }
}

impl Memory for Anywhere {
    type InFlight = Buffers;
    type Finalized = ();
    fn page_size(&self) -> u64 {
        4096
    }
    fn reserve(&mut self, segments: &[Segment]) -> Result<Buffers, MemoryError> {
        let mut first = None;
        let place = |segment: &Segment| {
            let address = match segment.place {
                Place::At(address) => address,
                Place::Offset(offset) => first.unwrap_or(0) + offset,
                _ => 0x1_0000,
            };
            first.get_or_insert(address);
            (address, vec![0; segment.content])
        };
        Ok(Buffers(segments.iter().map(place).collect()))
    }
    fn finalize(&mut self, _: Buffers, _: &[Action]) -> Result<(), MemoryError> {
        Ok(())
    }
    fn abandon(&mut self, _: Buffers) {}
    fn release(&mut self, _: Vec<()>) -> Result<(), MemoryError> {
        Ok(())
    }
}
