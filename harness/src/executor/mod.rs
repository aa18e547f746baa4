//! Executors run linked programs: each is memory to link into, a processor to start, and a register file to look at.
//!
//! An [`Executor`] is [`linker::memory::Memory`] plus a machine. Everything that happens to a running program is a
//! [`Stop`]; a call is "start, and resume until it is over". Host functions ([`crate::host`]) that are registered with a
//! closure are served inside [`Executor::start`] and [`Executor::resume`]; those registered as stops surface as
//! [`Stop::HostCall`], so that a lazy stub can link while the guest waits.

pub mod attendant;
pub mod board;
pub mod choice;
pub mod hosted;
pub mod image;
pub mod place;
pub mod traps;
#[cfg(feature = "unicorn")]
pub mod unicorn;
#[cfg(not(feature = "unicorn"))]
#[path = "without_unicorn.rs"]
pub mod unicorn;
#[cfg_attr(not(feature = "unicorn"), expect(dead_code, reason = "the emulator is at the other end of some of it"))]
pub mod wire;

use std::time::Duration;

use linker::layout::ThreadLocal;
use linker::memory::Memory;

pub use crate::machine::{
    Abi, AccessError, Budget, Call, Exit, Fault, FaultKind, Guest, Inaccessible, Limit, Lost, Register, Resume, Stop,
    TargetInfo,
};
pub use attendant::{Attendant, Unattended};
pub use choice::Choice;
pub use place::PlacementRefused;
pub use unicorn::Unicorn;

use crate::host::Host;

/// A machine that linked programs run on.
pub trait Executor: Memory + Guest {
    /// Starts a call on a fresh stack, with a return address that stops the machine. Registers that the call does not set
    /// keep their values.
    fn start(&mut self, call: &Call) -> Stop;
    /// Goes on after a stop.
    fn resume(&mut self, resume: Resume) -> Stop;
    /// Makes the machine as new: registers and status, memory (every allocation is gone), translated code, host functions'
    /// state. Registered host functions stay.
    fn reset(&mut self);
    /// Reads memory whatever its protection.
    fn peek(&mut self, address: u64, into: &mut [u8]) -> Result<(), Inaccessible>;
    /// Writes memory whatever its protection; code that is written is translated again.
    fn poke(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible>;
    /// Gives the one thread there is its variables: a copy of their image, and a thread pointer to it.
    fn set_thread(&mut self, image: &ThreadLocal) -> Result<(), String>;
    /// Puts bytes into guest memory for the duration of a case and returns their address, aligned to 16.
    fn buffer(&mut self, bytes: &[u8]) -> Result<u64, Inaccessible>;
    /// The host functions, and what they printed.
    fn host(&self) -> &Host;
    /// The same, to register some.
    fn host_mut(&mut self) -> &mut Host;
    /// Why the machine is gone, if it is, until the next reset. Whatever it said since is worth nothing.
    fn lost(&self) -> Option<&Lost>;
    /// Time so far that went by while others had the machine: those of other threads share a board.
    fn waited(&self) -> Duration;
    /// Sets what a run may take: all that is started and resumed from here on, finalize actions too. A reset gives the
    /// next run as much.
    fn set_budget(&mut self, budget: Budget);
    /// Gives the run its whole budget again: it is another one from here on.
    fn renew(&mut self);
    /// Sets how large the stack of calls is, until the next reset; 1 MiB otherwise. To be called when a program is there:
    /// a larger one is put where there is room.
    fn set_stack(&mut self, bytes: u64) -> Result<(), String>;
    /// Maps memory behind an address, as much as there is room for, for programs that make their heap there by themselves.
    fn extend(&mut self, end: u64);

    /// Has somebody attend the runs from here on, until the next reset.
    fn attend(&mut self, attendant: Box<dyn Attendant>) -> Result<(), Unattended>;
    /// Tells whoever attends that the program has come to its end.
    fn conclude(&mut self, stop: &Stop);

    /// A register by name, as the `register:` directive has it.
    fn register(&self, name: &str) -> Option<u128> {
        Register::named(self.info(), name).map(|register| self.get(register))
    }

    /// Sets a register by name; false when there is none of that name.
    fn set_register(&mut self, name: &str, value: u128) -> bool {
        let register = Register::named(self.info(), name);
        if let Some(register) = register {
            self.set(register, value);
        }
        register.is_some()
    }

    /// The whole register file with the names a report prints.
    fn registers(&self) -> Vec<(String, u128)> {
        Register::file(self.info()).map(|register| (register.name(self.info()), self.get(register))).collect()
    }
}
