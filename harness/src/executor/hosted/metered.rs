//! The part of the executor that host functions may touch while they work, and what it costs them.

use std::ops::RangeInclusive;
use std::time::Instant;

use super::areas;
use super::engine::Engine;
use crate::machine::{AccessError, Budget, FaultKind, Guest, Inaccessible, Limit, Register, TargetInfo};

/// What an access costs at least: it is more work than its bytes.
const ACCESS: u64 = 16;
/// How much work is done between two looks at the clock.
const CLOCK_INTERVAL: u64 = 1 << 16;
/// For that, how much work an access is at least: the machine may be far away.
const FAR: u64 = 1 << 10;

/// An engine, and what the run may still take.
pub(crate) struct Metered<E> {
    pub(crate) engine: E,
    /// What the run may take from a reset on, and what is left of it.
    pub(crate) budget: Budget,
    pub(crate) left: Budget,
    /// When time is up, while it runs.
    pub(crate) deadline: Option<Instant>,
    /// Work since the last look at the clock.
    unclocked: u64,
    /// Memory that the heap was given.
    pub(crate) grown: u64,
}

impl<E: Engine> Metered<E> {
    pub(crate) fn new(engine: E) -> Metered<E> {
        let budget = Budget::default();
        Metered { engine, budget, left: budget, deadline: None, unclocked: 0, grown: 0 }
    }

    /// Gives the run its whole budget again.
    pub(crate) fn renew(&mut self) {
        self.left = self.budget;
    }

    /// Starts the clock. Returns when it was.
    pub(crate) fn begin(&mut self) -> Instant {
        self.engine.allow(self.left);
        let now = Instant::now();
        self.deadline = now.checked_add(self.left.time);
        now
    }

    /// Stops the clock, and takes from the budget what was used since.
    pub(crate) fn end(&mut self, begun: Instant) {
        self.left.instructions = self.engine.unspent();
        self.left.time = self.left.time.saturating_sub(begun.elapsed());
        self.deadline = None;
    }

    /// Whether time is up.
    pub(crate) fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() > deadline)
    }

    fn check(&self, address: u64, length: usize, kind: FaultKind) -> Result<(), Inaccessible> {
        let mut at = address;
        let mut left = length as u64;
        while left > 0 {
            at = self.engine.wrap(at);
            match self.engine.regions().at(at) {
                Some((range, access)) if access.allows(kind) => {
                    let here = (range.end() - at).saturating_add(1).min(left);
                    at = at.wrapping_add(here);
                    left -= here;
                }
                _ => return Err(Inaccessible { kind, address: at }),
            }
        }
        Ok(())
    }

    /// Reads what the guest may read, at no cost.
    pub(crate) fn look(&mut self, address: u64, into: &mut [u8]) -> Result<(), AccessError> {
        self.check(address, into.len(), FaultKind::Read)?;
        let read = self.engine.read(address, into);
        Ok(read.map_err(|address| Inaccessible { kind: FaultKind::Read, address })?)
    }

    /// Writes what the guest may write, at no cost.
    pub(crate) fn put(&mut self, address: u64, bytes: &[u8]) -> Result<(), AccessError> {
        self.check(address, bytes.len(), FaultKind::Write)?;
        let written = self.engine.write(address, bytes);
        Ok(written.map_err(|address| Inaccessible { kind: FaultKind::Write, address })?)
    }
}

impl<E: Engine> Guest for Metered<E> {
    fn info(&self) -> &TargetInfo {
        self.engine.info()
    }

    fn get(&self, register: Register) -> u128 {
        self.engine.get(register)
    }

    fn set(&mut self, register: Register, value: u128) {
        self.engine.set(register, value);
    }

    fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), AccessError> {
        self.spend(ACCESS + into.len() as u64)?;
        self.look(address, into)
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), AccessError> {
        self.spend(ACCESS + bytes.len() as u64)?;
        self.put(address, bytes)
    }

    fn spend(&mut self, bytes: u64) -> Result<(), AccessError> {
        let left = self.left.work.checked_sub(bytes);
        self.left.work = left.unwrap_or(0);
        if left.is_none() {
            return Err(AccessError::Exhausted(Limit::HostWork));
        }
        self.unclocked += bytes.max(FAR);
        if self.unclocked >= CLOCK_INTERVAL {
            self.unclocked = 0;
            if self.is_late() {
                return Err(AccessError::Exhausted(Limit::Time));
            }
        }
        Ok(())
    }

    fn more(&mut self, bytes: u64) -> Option<RangeInclusive<u64>> {
        let grown = self.grown.checked_add(bytes).filter(|grown| *grown <= self.engine.memory())?;
        let pages = areas::more(&mut self.engine, bytes, 0)?;
        self.grown = grown;
        Some(pages)
    }
}
