//! The engine as an attendant sees it.

use std::ops::RangeInclusive;

use super::{Wire, Wired};
use crate::executor::attendant::Attended;
use crate::executor::hosted::engine::Engine;
use crate::executor::traps::{NOTE, Note, Outcome, Traps};
use crate::executor::{Budget, Register, Resume, TargetInfo};

impl<W: Wire> Attended for Wired<W> {
    fn info(&self) -> &TargetInfo {
        &self.info
    }

    fn host(&self) -> RangeInclusive<u64> {
        self.host.clone()
    }

    fn get(&self, register: Register) -> u128 {
        Engine::get(self, register)
    }

    fn set(&mut self, register: Register, value: u128) {
        Engine::set(self, register, value);
    }

    fn set_pc(&mut self, pc: u64) {
        self.registers.set_pc(pc);
    }

    fn pc(&self) -> u64 {
        self.registers.pc() | u64::from(self.registers.thumb())
    }

    fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), u64> {
        Engine::read(self, address, into)
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), u64> {
        Engine::write(self, address, bytes)
    }

    fn allow(&mut self, budget: Budget) {
        Engine::allow(self, budget);
    }

    fn unspent(&self) -> u64 {
        Engine::unspent(self)
    }

    fn set_traps(&mut self, traps: &Traps) {
        self.make_room(8 * traps.breakpoints.len() + 24 * traps.watchpoints.len());
        self.batch.traps(traps);
    }

    fn go(&mut self, begin: u64, resume: Resume) -> Outcome {
        let ended = self.run_alone(begin, resume);
        match self.sight.take() {
            Some(sight) => Outcome::Sight(sight),
            None => Outcome::Ended(ended),
        }
    }

    fn notes(&mut self) -> Vec<Note> {
        // Of a machine that is gone nothing comes back.
        let Some(mut reply) = self.ask(super::batch::Batch::notes) else { return Vec::new() };
        let count = reply.long().unwrap_or(0) as usize;
        let mut bytes = vec![0; count.saturating_mul(NOTE).min(super::PIECE)];
        if reply.bytes(&mut bytes).is_err() {
            return Vec::new();
        }
        bytes.as_chunks().0.iter().map(Note::read).collect()
    }
}
