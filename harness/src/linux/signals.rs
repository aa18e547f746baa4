//! Signals: which ones wait, which ones are blocked, and what a process does about each.

use std::borrow::Cow;

use rustix::io::Errno;

use super::abi::Structure;
use super::stack::USER;
use super::threads::{On, Outcome, Thread};
use super::{End, Process};
use crate::executor::hosted::engine::Engine;
use crate::executor::{Fault, FaultKind, Limit, Register, Stop};

/// Numbers of signals (asm-generic/signal.h).
pub(super) mod number {
    pub(in crate::linux) const ILL: u32 = 4;
    pub(in crate::linux) const TRAP: u32 = 5;
    pub(in crate::linux) const BUS: u32 = 7;
    pub(in crate::linux) const KILL: u32 = 9;
    pub(in crate::linux) const SEGV: u32 = 11;
    pub(in crate::linux) const PIPE: u32 = 13;
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
const ON_STACK: u64 = 0x0800_0000;
pub(super) const RESTART: u64 = 0x1000_0000;
const NO_DEFER: u64 = 0x4000_0000;
const RESET: u64 = 0x8000_0000;

/// SIG_DFL and SIG_IGN.
const DEFAULT: u64 = 0;
const IGNORE: u64 = 1;

/// Who sent a signal (si_code).
pub(super) const SI_USER: i32 = 0;
pub(super) const SI_TKILL: i32 = -6;
const SEGV_MAPERR: i32 = 1;
const SEGV_ACCERR: i32 = 2;
const BUS_ADRALN: i32 = 1;
const ILL_ILLOPC: i32 = 1;
const TRAP_BRKPT: i32 = 1;

/// Signals that wait at the same time, at most. Those of real time queue (RLIMIT_SIGPENDING).
const MOST: usize = 1024;

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
    fn ignores(&self, signal: u32) -> bool {
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

/// Has a signal wait among these. Of the classic ones one waits at most for each.
fn queue(pending: &mut Vec<Info>, info: Info) -> Result<(), Errno> {
    let waits = pending.iter().any(|other| (other.signal, other.to_thread) == (info.signal, info.to_thread));
    if waits && info.signal < 32 {
        return Ok(());
    }
    if pending.len() >= MOST {
        return Err(Errno::AGAIN);
    }
    pending.push(info);
    Ok(())
}

impl<E: Engine + 'static> Process<E> {
    /// Has a signal wait for the process: for a thread that does not block it, the first one before others, or for whoever takes it.
    pub(super) fn send(&mut self, info: Info) -> Result<(), Errno> {
        let takes = self.threads.iter().filter(|thread| thread.signals.blocked & bit(info.signal) == 0);
        match takes.map(|thread| thread.id).min() {
            Some(thread) => self.send_to(thread, info),
            None => {
                queue(&mut self.signals.pending, info)?;
                self.wake_takers(info.signal);
                Ok(())
            }
        }
    }

    /// Has a signal wait for a thread.
    pub(super) fn send_to(&mut self, thread: u32, info: Info) -> Result<(), Errno> {
        let thread = self.threads.get_mut(thread).ok_or(Errno::SRCH)?;
        queue(&mut thread.signals.pending, info)?;
        self.wake_takers(info.signal);
        Ok(())
    }

    /// Has those look again who wait for this signal by name.
    fn wake_takers(&mut self, signal: u32) {
        for thread in self.threads.iter_mut() {
            let on = thread.waits.as_ref().map(|wait| &wait.on);
            if matches!(on, Some(On::Signal { of }) if of & bit(signal) != 0) {
                thread.wake(Outcome::Again);
            }
        }
    }

    /// Takes one of these signals from those that wait for the current thread or the process.
    pub(super) fn take_signal(&mut self, of: u64) -> Option<Info> {
        for pending in [&mut self.threads.current.signals.pending, &mut self.signals.pending] {
            if let Some(at) = pending.iter().position(|info| of & bit(info.signal) != 0) {
                return Some(pending.remove(at));
            }
        }
        None
    }

    /// What a thread that waits has to do about the first signal that it does not block: the flags of its handler, or none if it
    /// is to end the process. Nothing when there is no such signal.
    pub(super) fn interrupts(&self, thread: &Thread<E::Context>) -> Option<Option<u64>> {
        let own = thread.signals.pending.iter().chain(&self.signals.pending);
        let mut own = own.filter(|info| thread.signals.blocked & bit(info.signal) == 0);
        let action = own.find(|info| !self.signals.ignores(info.signal)).map(|info| info.signal)?;
        let action = self.signals.actions[action as usize];
        Some((action.handler > IGNORE).then_some(action.flags))
    }

    /// What an instruction did becomes a signal, now: where it is blocked or ignored the process ends.
    pub(super) fn raise(&mut self, mut info: Info, fault: Option<Fault>) -> Option<End> {
        let action = self.signals.actions[info.signal as usize];
        if self.threads.current.signals.blocked & bit(info.signal) != 0 || action.handler <= IGNORE {
            return Some(End::Killed { signal: info.signal, fault });
        }
        if let Some(address) = info.address.filter(|_| info.code == SEGV_MAPERR)
            && self.machine.engine.regions().at(address).is_some()
        {
            info.code = SEGV_ACCERR;
        }
        if info.signal == TRAP || info.signal == ILL {
            info.address = fault.map(|fault| fault.pc);
        }
        self.handle(info, &action)
    }

    /// Delivers to the current thread what waits and is not blocked.
    pub(super) fn deliver_signals(&mut self) -> Option<End> {
        loop {
            let info = self.take_signal(!self.threads.current.signals.blocked)?;
            let action = self.signals.actions[info.signal as usize];
            match action.handler {
                _ if self.signals.ignores(info.signal) => {}
                DEFAULT | IGNORE => return Some(End::Killed { signal: info.signal, fault: None }),
                _ => {
                    if let Some(end) = self.handle(info, &action) {
                        return Some(end);
                    }
                }
            }
        }
    }

    /// Has the process enter its handler.
    fn handle(&mut self, info: Info, action: &Action) -> Option<End> {
        let sp = self.machine.engine.get(Register::Sp) as u64;
        let own = &mut self.threads.current.signals;
        let stack = own.stack;
        let on_it = sp.wrapping_sub(stack.start) < stack.size;
        let top = if action.flags & ON_STACK != 0 && stack.flags & NO_STACK == 0 && !on_it {
            stack.start.wrapping_add(stack.size)
        } else {
            sp
        };
        let mask = own.saved.take().unwrap_or(own.blocked);
        // What the thread was about to store is not to be stored any more.
        self.machine.engine.forget_reservations();
        if let Err(error) = self.push_frame(top, &info, action, mask) {
            return Some(match error {
                // There is no stack to handle it on.
                crate::executor::AccessError::Inaccessible(at) => {
                    let pc = self.machine.engine.get(Register::Pc) as u64;
                    let fault = Fault { kind: FaultKind::Stack, pc, address: Some(at.address), host: None };
                    End::Killed { signal: SEGV, fault: Some(fault) }
                }
                crate::executor::AccessError::Exhausted(limit) => End::Stopped(Stop::OutOfBudget(limit)),
                crate::executor::AccessError::Refused(why) => End::Stopped(Stop::Refused(why)),
            });
        }
        if !self.machine.engine.charge() {
            return Some(End::Stopped(Stop::OutOfBudget(Limit::Instructions)));
        }
        let itself = if action.flags & NO_DEFER == 0 { bit(info.signal) } else { 0 };
        let blocked = &mut self.threads.current.signals.blocked;
        *blocked = blockable(*blocked | action.mask | itself);
        if action.flags & RESET != 0 {
            self.signals.actions[info.signal as usize].handler = DEFAULT;
        }
        None
    }
}
