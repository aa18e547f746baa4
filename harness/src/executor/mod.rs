//! What a linked program is run on: memory to link into, a processor to start, a register file to look at.
//!
//! An [`Executor`] is [`linker::memory::Memory`] plus a machine. Everything that happens to a running program is a
//! [`Stop`]; a call is "start, and resume until it is over". Host functions ([`crate::host`]) that are registered with a
//! closure are served inside [`Executor::start`] and [`Executor::resume`]; those registered as stops surface as
//! [`Stop::HostCall`], so that a lazy stub can link while the guest waits.

pub mod board;
pub mod choice;
pub mod image;
pub mod place;
pub mod register;
pub mod rig;
pub mod unicorn;

use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::time::Duration;

use linker::Target;
use linker::layout::ThreadLocal;
use linker::memory::Memory;

pub use choice::Choice;
pub use place::PlacementRefused;
pub use register::Register;
pub use unicorn::Unicorn;

use crate::host::Host;

/// How arguments and results travel. Chosen by the target's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Abi {
    /// The base standard of the 32-bit procedure call standard: floating point in core registers.
    AapcsBase,
    /// The VFP variant ("hard float"): floating point in s0-s15 and d0-d7. Variadic functions use the base standard.
    AapcsVfp,
    /// The 64-bit procedure call standard.
    Aapcs64,
}

impl Abi {
    /// The convention of a target's code.
    pub fn of(target: &Target) -> Abi {
        match target.name {
            _ if target.register_bits == 64 => Abi::Aapcs64,
            "armv7" | "thumbv7" | "armebv7" | "thumbebv7" => Abi::AapcsVfp,
            _ => Abi::AapcsBase,
        }
    }
}

/// What an executor publishes about itself.
#[derive(Clone, Debug)]
pub struct TargetInfo {
    /// The row of the linker's target table.
    pub target: &'static Target,
    /// The emulated or real processor, as its maker calls it.
    pub cpu: Cow<'static, str>,
    /// The calling convention of its code.
    pub abi: Abi,
    /// Thumb only, without A32 state: an even branch target is a fault.
    pub m_profile: bool,
    /// Has instructions and keys that sign pointers.
    pub signs: bool,
    /// Granularity of protections.
    pub page_size: u64,
    /// Where its memory begins: what is at `a` elsewhere is at this and `a`. 0 wherever addresses can be chosen.
    pub origin: u64,
    /// Where segments may be placed. What lies outside is the executor's own (stack, heap, host functions).
    pub usable: Vec<RangeInclusive<u64>>,
}

impl TargetInfo {
    /// Whether this is a 64-bit machine.
    pub fn is_64(&self) -> bool {
        self.target.register_bits == 64
    }
}

/// What went wrong, as a case names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// A read of memory that is unmapped or may not be read.
    Read,
    /// A write to memory that is unmapped or may not be written.
    Write,
    /// An instruction fetch from memory that is unmapped or may not be executed.
    Fetch,
    /// An instruction the processor does not have.
    Undefined,
    /// A breakpoint instruction.
    Breakpoint,
    /// An address the processor wants aligned, where the engine checks.
    Unaligned,
    /// The wrong instruction set state: a function that returned in another state than its caller's, or a branch to an
    /// even address on a processor that has only Thumb.
    State,
}

impl FaultKind {
    /// The word of the `fault:` directive.
    pub fn name(self) -> &'static str {
        match self {
            FaultKind::Read => "read",
            FaultKind::Write => "write",
            FaultKind::Fetch => "fetch",
            FaultKind::Undefined => "undefined",
            FaultKind::Breakpoint => "breakpoint",
            FaultKind::Unaligned => "unaligned",
            FaultKind::State => "state",
        }
    }
}

/// A fault: what, where, and on which address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What went wrong.
    pub kind: FaultKind,
    /// The instruction that did it, without the Thumb bit.
    pub pc: u64,
    /// The address it accessed, where there is one and the engine tells.
    pub address: Option<u64>,
    /// The host function that was working for the guest, when it was not the guest's own instruction. `pc` is the
    /// function's address then.
    pub host: Option<String>,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} fault at {:#x}", self.kind.name(), self.pc)?;
        if let Some(address) = self.address {
            write!(f, ", address {address:#x}")?;
        }
        if let Some(host) = &self.host {
            write!(f, ", in host function `{host}`")?;
        }
        Ok(())
    }
}

/// How a program ended by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// `exit`, `_exit` or `_Exit` with this status.
    Code(i32),
    /// `abort`, or something that aborts with a message: a failed assertion, a pure virtual call, a smashed stack.
    Abort(String),
}

/// Why the guest is not running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The called function returned to its caller, in its caller's state.
    Returned,
    /// It called a host function registered as a stop. Resuming returns from it.
    HostCall {
        /// The function's name.
        name: String,
        /// Its address.
        address: u64,
    },
    /// A system call instruction. The number is where the platform keeps it; resuming goes on behind the instruction.
    Syscall,
    /// A breakpoint instruction at this address. Resuming executes it again.
    Breakpoint {
        /// Its address.
        pc: u64,
    },
    /// One instruction was executed, as asked.
    Stepped,
    /// It did what it must not.
    Fault(Fault),
    /// It ended itself.
    Exited(Exit),
    /// It used up its instructions or its time. Resuming gives it the budget again.
    OutOfBudget,
    /// The machine is gone or did something this executor does not know: why.
    Lost(String),
}

impl Stop {
    /// The fault as a case judges it: a breakpoint that nobody set is one too.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Stop::Fault(fault) => Some(fault.clone()),
            Stop::Breakpoint { pc } => Some(Fault { kind: FaultKind::Breakpoint, pc: *pc, address: None, host: None }),
            _ => None,
        }
    }
}

/// How to go on after a [`Stop`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// Until the next stop.
    Run,
    /// For one instruction.
    Step,
}

/// A call after the calling convention has been applied (see [`crate::call`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The function, with the Thumb bit where there is one.
    pub function: u64,
    /// Argument registers.
    pub registers: Vec<(Register, u128)>,
    /// What lies on the stack when the function is entered, from the stack pointer upwards.
    pub stack: Vec<u8>,
}

/// How long one run may take.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Instructions, counted in whole blocks (in Thumb code, in half-words).
    pub instructions: u64,
    /// Wall-clock time.
    pub time: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Budget { instructions: 50_000_000, time: Duration::from_secs(10) }
    }
}

/// Memory the guest may not access in this way, or that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {} access to {address:#x}", .kind.name())]
pub struct Inaccessible {
    /// Read or write.
    pub kind: FaultKind,
    /// The first address that could not be accessed.
    pub address: u64,
}

/// The machine as host functions see it: registers, and memory under the guest's own permissions.
pub trait Guest {
    /// What kind of machine it is.
    fn info(&self) -> &TargetInfo;
    /// A register; 0 for one this machine does not have.
    fn get(&self, register: Register) -> u128;
    /// Sets a register, cut to its width.
    fn set(&mut self, register: Register, value: u128);
    /// Reads what the guest may read.
    fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), Inaccessible>;
    /// Writes what the guest may write.
    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), Inaccessible>;
}

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
    /// Time so far that went by while others had the machine: those of other threads share a board.
    fn waited(&self) -> Duration;
    /// Sets how long each following [`Executor::start`] and [`Executor::resume`] may take.
    fn set_budget(&mut self, budget: Budget);

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
