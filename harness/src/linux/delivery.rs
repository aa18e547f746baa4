//! What comes of signals: whom they wait for, whom they interrupt, and how a handler is entered.

use rustix::io::Errno;

use super::signals::number::{ILL, SEGV, TRAP};
use super::signals::{
    Action, DEFAULT, IGNORE, Info, NO_DEFER, NO_STACK, ON_STACK, RESET, SEGV_ACCERR, SEGV_MAPERR, bit, blockable,
};
use super::threads::{FIRST, On, Outcome, Thread};
use super::{End, Process};
use crate::executor::hosted::engine::{Access, Engine, PAGE};
use crate::executor::{Fault, FaultKind, Limit, Register, Stop};

/// Signals that wait at the same time, at most. Those of real time queue (RLIMIT_SIGPENDING).
const MOST: usize = 1024;

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

    /// A fault, called a stack overflow if it is one: below the stack of the process, or in the pages without access that a C
    /// library has below the stack of a thread.
    pub(super) fn on_stack(&self, fault: Fault) -> Fault {
        let guard = fault.address.and_then(|address| self.machine.engine.regions().at(address));
        let start = match guard.filter(|(_, access)| **access == Access::NONE) {
            Some((guard, _)) => guard.end().wrapping_add(1),
            None if self.threads.current.id == FIRST => *self.space.stack.start(),
            // The stack of the process is not this thread's.
            None => return fault,
        };
        let sp = self.machine.engine.get(Register::Sp) as u64;
        fault.below_stack(self.abi.target, start, PAGE, sp)
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
