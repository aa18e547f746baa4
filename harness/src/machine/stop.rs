//! A run: how it is started and resumed, how much it may take, and how it ends.

use std::fmt;
use std::time::Duration;

use linker::Target;

use super::Register;

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
    /// An access below the stack by a program that has used all of it up.
    Stack,
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
            FaultKind::Stack => "stack",
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

/// How far below a stack the stack pointer of a program that uses it up can be: the largest frame that is taken for one.
const DEEPEST: u64 = 1 << 30;

/// How far from the stack pointer what is accessed can be: as on Linux, a megabyte.
pub(crate) const GUARD: u64 = 1 << 20;

impl Fault {
    /// The same, as a stack overflow if it is one: an access below `start`, where a stack begins that is used up but for a page or
    /// more than that, not far from the stack pointer. Addresses wrap as those of the target.
    pub(crate) fn below_stack(self, target: &Target, start: u64, page: u64, sp: u64) -> Fault {
        let below = |address: u64| target.wrap(start.wrapping_sub(address));
        let frame = Some(below(sp)).filter(|depth| *depth <= DEEPEST);
        let used_up = frame.is_some() || target.wrap(sp.wrapping_sub(start)) < page;
        let near = |address: u64| (1..=frame.unwrap_or(0) + GUARD).contains(&below(address));
        let is_access = matches!(self.kind, FaultKind::Read | FaultKind::Write);
        let overflow = is_access && used_up && self.address.is_some_and(near);
        if overflow { Fault { kind: FaultKind::Stack, ..self } } else { self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            FaultKind::Stack => write!(f, "stack overflow at {:#x}", self.pc)?,
            kind => write!(f, "{} fault at {:#x}", kind.name(), self.pc)?,
        }
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

/// The machine is gone: QEMU ended, or the emulator did. What was asked of it since is worth nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Lost {
    /// What happened.
    pub why: String,
    /// Where the guest was, if that is known.
    pub pc: Option<u64>,
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
    /// It used up what it may take of this. The program counter is where it was then; in a host function, at that.
    OutOfBudget(Limit),
    /// It did what the machine cannot do: halt, raise an exception that nobody expects. What.
    Refused(String),
    /// The machine is gone, which says nothing about the program.
    Lost(Lost),
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

impl Stop {
    /// Where the guest was, if it did not get to the end and that is known.
    pub fn place(&self) -> Option<u64> {
        match self {
            Stop::Lost(lost) => lost.pc,
            stop => stop.fault().map(|fault| fault.pc),
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Returned => f.write_str("returned"),
            Stop::Exited(Exit::Code(code)) => write!(f, "exit({code})"),
            Stop::Exited(Exit::Abort(message)) if message.is_empty() => f.write_str("abort()"),
            Stop::Exited(Exit::Abort(message)) => write!(f, "abort(): {message}"),
            Stop::OutOfBudget(limit) => write!(f, "out of budget: {limit}"),
            Stop::HostCall { name, .. } => write!(f, "call of the host function {name}"),
            Stop::Syscall => f.write_str("system call"),
            Stop::Stepped => f.write_str("one step"),
            Stop::Refused(why) => f.write_str(why),
            Stop::Lost(lost) => write!(f, "the machine was lost: {lost}"),
            Stop::Breakpoint { .. } | Stop::Fault(_) => match self.fault() {
                Some(fault) => fault.fmt(f),
                None => Ok(()),
            },
        }
    }
}

/// Why a run of a processor ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A fetch from the host region: a host function is called, or the call is over. The program counter is there.
    Host,
    /// Something that is not served here.
    Stop(Stop),
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

/// What one run may take, from a reset or [`crate::executor::Executor::set_budget`] on: its calls, and what is called before
/// them, like constructors, share it. Memory is what the machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Instructions, counted in whole blocks (in Thumb code, in half-words).
    pub instructions: u64,
    /// Bytes that host functions may look at, write and format.
    pub work: u64,
    /// Wall-clock time while it runs.
    pub time: Duration,
    /// Bytes that it may print.
    pub output: u64,
}

impl Budget {
    /// What a case may take.
    pub const DEFAULT: Budget = Budget::of_instructions(50_000_000);

    /// So many instructions, with the host work that they could do themselves: 16 bytes each.
    pub const fn of_instructions(instructions: u64) -> Budget {
        Budget { instructions, work: instructions.saturating_mul(16), time: Duration::from_secs(10), output: 1 << 20 }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Budget::DEFAULT
    }
}

/// What a run can use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// [`Budget::instructions`].
    Instructions,
    /// [`Budget::work`].
    HostWork,
    /// [`Budget::time`].
    Time,
    /// The machine's memory, or what a host function may take of ours.
    Memory,
    /// [`Budget::output`].
    Output,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Limit::Instructions => "too many instructions",
            Limit::HostWork => "too much work in host functions",
            Limit::Time => "too much time",
            Limit::Memory => "too much memory",
            Limit::Output => "too much output",
        })
    }
}
