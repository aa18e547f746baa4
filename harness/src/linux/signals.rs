//! Signals as values: their numbers, what a process does about each, and which wait and are blocked. `delivery` has what comes of them.

use std::borrow::Cow;

use super::Process;
use super::abi::Structure;
use super::stack::USER;
use crate::executor::hosted::engine::Engine;
use crate::executor::{Fault, FaultKind};

/// Numbers of signals (asm-generic/signal.h).
pub(super) mod number {
    pub(in crate::linux) const INT: u32 = 2;
    pub(in crate::linux) const ILL: u32 = 4;
    pub(in crate::linux) const TRAP: u32 = 5;
    pub(in crate::linux) const ABRT: u32 = 6;
    pub(in crate::linux) const BUS: u32 = 7;
    pub(in crate::linux) const FPE: u32 = 8;
    pub(in crate::linux) const KILL: u32 = 9;
    pub(in crate::linux) const SEGV: u32 = 11;
    pub(in crate::linux) const PIPE: u32 = 13;
    pub(in crate::linux) const ALRM: u32 = 14;
    pub(in crate::linux) const CHLD: u32 = 17;
    pub(in crate::linux) const CONT: u32 = 18;
    pub(in crate::linux) const STOP: u32 = 19;
    pub(in crate::linux) const URG: u32 = 23;
    pub(in crate::linux) const WINCH: u32 = 28;
    /// The last.
    pub(in crate::linux) const LAST: u32 = 64;
}
use self::number::{BUS, CHLD, CONT, ILL, KILL, LAST, SEGV, STOP, TRAP, URG, WINCH};

/// SA_SIGINFO, SA_ONSTACK, SA_RESTART, SA_NODEFER and SA_RESETHAND; and SA_RESTORER, which says that the process has brought code to return to.
pub(super) const WITH_INFO: u64 = 4;
pub(super) const RESTORER: u64 = 0x0400_0000;
pub(super) const ON_STACK: u64 = 0x0800_0000;
pub(super) const RESTART: u64 = 0x1000_0000;
pub(super) const NO_DEFER: u64 = 0x4000_0000;
pub(super) const RESET: u64 = 0x8000_0000;

/// SIG_DFL and SIG_IGN.
pub(super) const DEFAULT: u64 = 0;
pub(super) const IGNORE: u64 = 1;

/// Who sent a signal (si_code).
pub(super) const SI_USER: i32 = 0;
pub(super) const SI_TKILL: i32 = -6;
pub(super) const SEGV_MAPERR: i32 = 1;
pub(super) const SEGV_ACCERR: i32 = 2;
const BUS_ADRALN: i32 = 1;
const ILL_ILLOPC: i32 = 1;
const TRAP_BRKPT: i32 = 1;

/// The name of a signal.
pub fn name(signal: u32) -> Cow<'static, str> {
    let known = i32::try_from(signal).ok().and_then(signal_hook::low_level::signal_name);
    known.map_or_else(|| format!("signal {signal}").into(), Cow::Borrowed)
}

/// What a process does about a signal.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Action {
    pub(super) handler: u64,
    pub(super) flags: u64,
    pub(super) restorer: u64,
    /// Signals that are blocked while it is handled.
    pub(super) mask: u64,
}

/// What a signal says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Info {
    pub(super) signal: u32,
    pub(super) code: i32,
    /// The address, of a fault.
    pub(super) address: Option<u64>,
    /// What the sender adds.
    pub(super) value: u64,
    /// Whether it is for this thread, and not for any of the process.
    pub(super) to_thread: bool,
}

/// An alternate stack (sigaltstack).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AlternateStack {
    pub(super) start: u64,
    pub(super) size: u64,
    pub(super) flags: u32,
}

/// SS_DISABLE
pub(super) const NO_STACK: u32 = 2;

/// Signals of a process.
#[derive(Debug)]
pub(super) struct Signals {
    /// What it does about each, by number.
    pub(super) actions: [Action; LAST as usize + 1],
    /// Those that wait until a thread takes them, in the order in which they came.
    pub(super) pending: Vec<Info>,
}

impl Default for Signals {
    fn default() -> Signals {
        Signals { actions: [Action::default(); LAST as usize + 1], pending: Vec::new() }
    }
}

impl Signals {
    /// Whether nothing comes of a signal.
    pub(super) fn ignores(&self, signal: u32) -> bool {
        match self.actions[signal as usize].handler {
            IGNORE => signal != KILL && signal != STOP,
            DEFAULT => [CHLD, CONT, URG, WINCH].contains(&signal),
            _ => false,
        }
    }
}

/// What of signals is a thread's own.
#[derive(Debug)]
pub(super) struct Own {
    /// Those that wait for it.
    pub(super) pending: Vec<Info>,
    /// Those that are blocked: bit `number - 1`.
    pub(super) blocked: u64,
    /// The mask that is put back behind the next handler (sigsuspend).
    pub(super) saved: Option<u64>,
    pub(super) stack: AlternateStack,
}

impl Default for Own {
    fn default() -> Own {
        let stack = AlternateStack { flags: NO_STACK, ..AlternateStack::default() };
        Own { pending: Vec::new(), blocked: 0, saved: None, stack }
    }
}

/// The bit of a signal in a mask.
pub(super) fn bit(signal: u32) -> u64 {
    1 << (signal - 1)
}

/// A mask without what cannot be blocked.
pub(super) fn blockable(mask: u64) -> u64 {
    mask & !(bit(KILL) | bit(STOP))
}

impl Info {
    /// The signal that the system makes of what an instruction did.
    pub(super) fn of_fault(fault: &Fault) -> Info {
        let (signal, code) = match fault.kind {
            FaultKind::Read | FaultKind::Write | FaultKind::Fetch | FaultKind::Stack => (SEGV, SEGV_MAPERR),
            FaultKind::Undefined | FaultKind::State => (ILL, ILL_ILLOPC),
            FaultKind::Breakpoint => (TRAP, TRAP_BRKPT),
            FaultKind::Unaligned => (BUS, BUS_ADRALN),
        };
        Info { signal, code, address: Some(fault.address.unwrap_or(fault.pc)), value: 0, to_thread: true }
    }

    /// A signal that the process sends.
    pub(super) fn sent(signal: u32, code: i32) -> Info {
        Info { signal, code, address: None, value: 0, to_thread: code == SI_TKILL }
    }

    /// `siginfo_t`
    pub(super) fn structure<E: Engine + 'static>(&self, process: &Process<E>) -> Vec<u8> {
        let head =
            Structure::new(&process.abi).int(self.signal).int(0).int(self.code as u32).aligned(process.abi.word());
        let rest = match self.address {
            Some(address) => head.word(address),
            None => head.int(process.id()).int(USER as u32).word(self.value),
        };
        rest.up_to(128).bytes()
    }
}
