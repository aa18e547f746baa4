//! What an executor needs of a processor: pages with protections, registers, and a run until something happens.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::executor::attendant::{Attendant, Crew, Unattended};
use crate::executor::place::Ranges;
use crate::executor::{Budget, FaultKind, Lost, Register, Resume, Stop, TargetInfo};
pub use crate::machine::Ended;

/// Bytes in a page, for all targets.
pub const PAGE: u64 = 0x1000;

/// What the guest may do with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Access {
    /// Read it.
    pub read: bool,
    /// Write it.
    pub write: bool,
    /// Execute it.
    pub execute: bool,
}

impl Access {
    /// Nothing.
    pub const NONE: Access = Access { read: false, write: false, execute: false };
    /// Constant data.
    pub const READ: Access = Access { read: true, write: false, execute: false };
    /// Code, with the literals in it.
    pub const CODE: Access = Access { read: true, write: false, execute: true };
    /// Data.
    pub const DATA: Access = Access { read: true, write: true, execute: false };

    /// Whether it allows what this kind of fault is about.
    pub fn allows(self, kind: FaultKind) -> bool {
        match kind {
            FaultKind::Read => self.read,
            FaultKind::Write => self.write,
            FaultKind::Fetch => self.execute,
            _ => false,
        }
    }
}

/// A state of a processor that something else runs on.
pub trait Context {
    /// A register; 0 for one there is not.
    fn get(&self, register: Register) -> u128;
    /// Sets a register, cut to its width.
    fn set(&mut self, register: Register, value: u128);
}

/// A processor with an address space of its own.
///
/// Mapping, writing and setting registers may be put off until the next run or read, so that an engine behind a wire needs one
/// message for all of it; what fails then is [`Stop::Lost`] or [`Stop::Refused`].
pub trait Engine {
    /// A state of the processor.
    type Context: Context;

    /// What kind of machine it is.
    fn info(&self) -> &TargetInfo;
    /// Fetching from here is [`Ended::Host`].
    fn set_host(&mut self, host: RangeInclusive<u64>);
    /// The pages that are mapped, or reserved with [`Access::NONE`].
    fn regions(&self) -> &Ranges<Access>;
    /// The same, to reserve some.
    fn regions_mut(&mut self) -> &mut Ranges<Access>;
    /// Bytes of memory, in use or not.
    fn memory(&self) -> u64;
    /// Maps pages, zero at first, or changes what may be done with the region that starts here.
    fn protect(&mut self, pages: RangeInclusive<u64>, access: Access);
    /// Parts the region that holds this address, a multiple of the page, in two, of which the second begins there. Of the engines,
    /// the embedded emulator can.
    fn split(&mut self, at: u64);
    /// Unmaps the region that starts here.
    fn unmap(&mut self, start: u64) -> Result<(), String>;
    /// Writes mapped memory, whatever its protection. Returns the first address that is not mapped.
    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), u64>;
    /// Reads mapped memory, whatever its protection. Returns the first address that is not mapped.
    fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), u64>;
    /// A register; 0 for one there is not.
    fn get(&self, register: Register) -> u128;
    /// Sets a register, cut to its width.
    fn set(&mut self, register: Register, value: u128);
    /// Sets where the next run would begin, with the Thumb bit.
    fn set_pc(&mut self, pc: u64);
    /// Whether it is in Thumb state.
    fn thumb(&self) -> bool;
    /// The state of the processor, to be put back after something else has run on it.
    fn save(&self) -> Result<Self::Context, String>;
    /// Puts it back.
    fn restore(&mut self, context: &Self::Context) -> Result<(), String>;
    /// The processor gives up what it has reserved for an exclusive store, as it does when the system has another thread run.
    /// Of the engines, the embedded emulator can.
    fn forget_reservations(&mut self) {}
    /// Why the processor is gone, if it is, until the next reset.
    fn lost(&self) -> Option<&Lost> {
        None
    }
    /// Time so far that went by while others had the machine.
    fn waited(&self) -> Duration {
        Duration::ZERO
    }
    /// How much the runs from here on may take together.
    fn allow(&mut self, budget: Budget);
    /// Takes the price of a host call from that; whether something is left.
    fn charge(&mut self) -> bool;
    /// How many instructions of that are left. An engine that does not count them says what its time would be.
    fn unspent(&self) -> u64;
    /// Runs from here (with the Thumb bit) until something happens. Who attends sees the program's threads.
    fn run(&mut self, begin: u64, resume: Resume, crew: &mut dyn Crew) -> Ended;
    /// As new: the whole state of the processor, translated code and memory. The pages have to be mapped again.
    fn reset(&mut self);
    /// Has somebody attend the runs from here on, until the next reset.
    fn attend(&mut self, _: Box<dyn Attendant>) -> Result<(), Unattended> {
        Err(Unattended)
    }
    /// Tells whoever attends that the program has come to its end.
    fn conclude(&mut self, _: &Stop, _: &mut dyn Crew) {}
    /// Tells whoever attends that the program waits for something from outside. How it ends, if it is to.
    fn idle(&mut self, _: &mut dyn Crew) -> Option<Ended> {
        None
    }

    /// An address wrapped to the width of addresses.
    fn wrap(&self, address: u64) -> u64 {
        if self.info().is_64() { address } else { address & 0xffff_ffff }
    }
}
