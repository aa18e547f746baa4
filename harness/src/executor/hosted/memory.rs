//! The linker's memory contract on an engine's memory: a host buffer a segment, written once.

use std::ops::RangeInclusive;

use linker::memory::{
    Action, Call as ActionCall, InFlight, Lifetime, Memory, MemoryError, Protection, Segment, SigningKey,
};

use super::Hosted;
use super::areas::ANYWHERE;
use super::engine::{Access, Engine, PAGE};
use crate::executor::place::{Placement, PlacementRefused, Space};
use crate::executor::{Executor, Guest, Stop};

/// Reserved memory of the machine: its content is in host buffers until it is finalized.
#[derive(Debug)]
pub struct Reserved {
    pub(super) epoch: u64,
    pub(super) placement: Placement,
    /// Content by segment, and whether it goes into the machine at all.
    pub(super) buffers: Vec<(Vec<u8>, bool)>,
}

impl InFlight for Reserved {
    fn address(&self, segment: usize) -> u64 {
        self.placement.addresses[segment]
    }

    fn content(&mut self, segment: usize) -> &mut [u8] {
        &mut self.buffers[segment].0
    }
}

/// Memory in use. Worth nothing after a reset.
#[derive(Debug)]
pub struct Allocation {
    epoch: u64,
    regions: Vec<u64>,
    undo: Vec<ActionCall>,
}

/// An action failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActionFailed {
    /// The function said so.
    #[error("action {number}: function at {function:#x} returned {status:#x}")]
    Status {
        /// Number of the action.
        number: usize,
        /// What it called.
        function: u64,
        /// What that returned.
        status: u64,
    },
    /// The function did not return.
    #[error("action {number}: function at {function:#x} did not return: {stop}")]
    Stopped {
        /// Number of the action.
        number: usize,
        /// What it called.
        function: u64,
        /// What happened instead.
        stop: Stop,
    },
    /// This processor signs no pointers.
    #[error("action {number}: the pointer at {slot:#x} is to be signed, but this processor has no keys")]
    NoKeys {
        /// Number of the action.
        number: usize,
        /// Where the pointer is.
        slot: u64,
    },
    /// The slot is not memory.
    #[error("action {number}: no memory at slot {slot:#x}")]
    Slot {
        /// Number of the action.
        number: usize,
        /// Where its result should go.
        slot: u64,
    },
}

/// The handle is of a machine that has been reset since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the executor has been reset since this memory was reserved")]
pub struct Forgotten;

fn access(protection: Protection) -> Access {
    match protection {
        Protection::Read => Access::READ,
        Protection::ReadExecute => Access::CODE,
        Protection::ReadWrite => Access::DATA,
    }
}

impl<E: Engine> Memory for Hosted<E> {
    type InFlight = Reserved;
    type Finalized = Allocation;

    fn page_size(&self) -> u64 {
        PAGE
    }

    fn origin(&self) -> u64 {
        self.machine.engine.info().origin
    }

    fn reserve(&mut self, segments: &[Segment]) -> Result<Reserved, MemoryError> {
        let loaded = segments.iter().enumerate().filter(|(_, segment)| segment.lifetime != Lifetime::NoAlloc);
        let needed: u64 = loaded.map(|(_, segment)| segment.content as u64).sum();
        let engine = &mut self.machine.engine;
        if needed > engine.memory() / 2 {
            let reason = format!("{needed:#x} bytes of content are more than this machine's memory");
            return Err(Box::new(PlacementRefused { segment: 0, reason }));
        }
        let placement = {
            let regions = engine.regions();
            let space = Space {
                page: PAGE,
                last: engine.wrap(u64::MAX),
                usable: &engine.info().usable,
                base: engine.info().origin + ANYWHERE,
                conflict: &|range: &RangeInclusive<u64>| regions.conflict(range),
            };
            space.place(segments)?
        };
        for span in &placement.spans {
            engine.regions_mut().insert(span.pages.clone(), Access::NONE);
        }
        let pool = &mut self.pool;
        let buffer = |segment: &Segment| {
            let mut buffer = pool.pop().unwrap_or_default();
            buffer.clear();
            buffer.resize(segment.content, 0);
            (buffer, segment.lifetime != Lifetime::NoAlloc)
        };
        Ok(Reserved { epoch: self.epoch, placement, buffers: segments.iter().map(buffer).collect() })
    }

    fn finalize(&mut self, memory: Reserved, actions: &[Action]) -> Result<Allocation, MemoryError> {
        if memory.epoch != self.epoch {
            return Err(Box::new(Forgotten));
        }
        let Reserved { placement, buffers, .. } = memory;
        let engine = &mut self.machine.engine;
        for span in &placement.spans {
            engine.protect(span.pages.clone(), if span.relro { Access::DATA } else { access(span.protection) });
        }
        let mut shipped = Ok(());
        for (&address, (buffer, loaded)) in placement.addresses.iter().zip(&buffers) {
            if *loaded && shipped.is_ok() {
                shipped = engine.write(address, buffer);
            }
        }
        self.recycle(buffers);
        let mut regions: Vec<u64> = placement.spans.iter().map(|span| *span.pages.start()).collect();
        if let Err(address) = shipped {
            self.unmap(&regions)?;
            return Err(format!("no memory at {address:#x}").into());
        }
        let undo = match self.act(actions) {
            Ok(undo) => undo,
            Err(error) => {
                self.unmap(&regions)?;
                return Err(error);
            }
        };
        let engine = &mut self.machine.engine;
        for span in &placement.spans {
            let start = *span.pages.start();
            if span.lifetime == Lifetime::Finalize {
                engine.unmap(start)?;
                regions.retain(|&region| region != start);
            } else if span.relro {
                // Constant from here on, whatever it was declared as: it was writable only for the actions.
                let after = if span.protection.executable() { Access::CODE } else { Access::READ };
                engine.protect(span.pages.clone(), after);
            }
        }
        Ok(Allocation { epoch: self.epoch, regions, undo })
    }

    fn abandon(&mut self, memory: Reserved) {
        if memory.epoch == self.epoch {
            for span in &memory.placement.spans {
                self.machine.engine.regions_mut().remove(*span.pages.start());
            }
        }
        self.recycle(memory.buffers);
    }

    fn release(&mut self, memory: Vec<Allocation>) -> Result<(), MemoryError> {
        let mut first = Ok(());
        for allocation in memory {
            if allocation.epoch != self.epoch {
                first = first.and(Err(Forgotten.into()));
                continue;
            }
            let undone = self.undo(&allocation.undo);
            let unmapped = self.unmap(&allocation.regions);
            first = first.and(undone).and(unmapped);
        }
        first
    }
}

impl<E: Engine> Hosted<E> {
    /// Runs the actions; when one fails, takes back those before it, last first.
    fn act(&mut self, actions: &[Action]) -> Result<Vec<ActionCall>, MemoryError> {
        let mut undo = Vec::new();
        for (number, action) in actions.iter().enumerate() {
            let result = match action {
                Action::Call { call, undo: back } => {
                    self.act_call(number, call).inspect(|()| undo.extend(back.clone()))
                }
                Action::CallAndStore { function, slot } => self.act_store(number, *function, *slot),
                Action::Sign { slot, key, modifier } => self.act_sign(number, *slot, *key, *modifier),
            };
            if let Err(error) = result {
                // The failure that is reported is the first one.
                let _ = self.undo(&undo);
                return Err(error.into());
            }
        }
        Ok(undo)
    }

    fn undo(&mut self, calls: &[ActionCall]) -> Result<(), MemoryError> {
        let mut first = Ok(());
        for (number, call) in calls.iter().enumerate().rev() {
            first = first.and(self.act_call(number, call));
        }
        Ok(first?)
    }

    fn act_call(&mut self, number: usize, call: &ActionCall) -> Result<(), ActionFailed> {
        let function = call.function;
        let lost =
            |_| ActionFailed::Stopped { number, function, stop: Stop::Refused("no room for arguments".to_owned()) };
        let mark = self.next_buffer;
        let address = self.buffer(&call.arguments).map_err(lost)?;
        let status = self.aside(function, &[address, call.arguments.len() as u64]);
        self.next_buffer = mark;
        // A status is a C int; what is above it in a 64-bit register is not part of it.
        match status.map(|status| status & 0xffff_ffff) {
            Ok(0) => Ok(()),
            Ok(status) => Err(ActionFailed::Status { number, function, status }),
            Err(stop) => Err(ActionFailed::Stopped { number, function, stop }),
        }
    }

    fn act_store(&mut self, number: usize, function: u64, slot: u64) -> Result<(), ActionFailed> {
        let value = self.aside(function, &[]).map_err(|stop| ActionFailed::Stopped { number, function, stop })?;
        let target = self.info().target;
        self.poke(slot, &target.bytes(value, target.pointer_bytes())).map_err(|_| ActionFailed::Slot { number, slot })
    }

    /// Signs the pointer at `slot` by the processor's own instructions. What is null stays so.
    fn act_sign(&mut self, number: usize, slot: u64, key: SigningKey, modifier: u64) -> Result<(), ActionFailed> {
        let target = self.info().target;
        let no_slot = |_| ActionFailed::Slot { number, slot };
        let mut bytes = vec![0; target.pointer_bytes()];
        self.peek(slot, &mut bytes).map_err(no_slot)?;
        let pointer = target.number(&bytes);
        if pointer == 0 {
            return Ok(());
        }
        let signed = match self.sign(pointer, key, modifier) {
            Some(signed) => signed.map_err(|stop| ActionFailed::Stopped { number, function: slot, stop })?,
            None => return Err(ActionFailed::NoKeys { number, slot }),
        };
        self.poke(slot, &target.bytes(signed, bytes.len())).map_err(no_slot)
    }

    fn unmap(&mut self, regions: &[u64]) -> Result<(), MemoryError> {
        for &start in regions {
            self.machine.engine.unmap(start)?;
        }
        Ok(())
    }

    fn recycle(&mut self, buffers: Vec<(Vec<u8>, bool)>) {
        // More than a link needs at a time is not worth keeping.
        self.pool.extend(buffers.into_iter().map(|(buffer, _)| buffer));
        self.pool.truncate(64);
    }
}
