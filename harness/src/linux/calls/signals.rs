//! Calls about signals.

use rustix::io::Errno;

use crate::executor::hosted::engine::Engine;
use crate::executor::{Guest as _, Register};
use crate::linux::abi::{Structure, Width};
use crate::linux::signals::{Action, AlternateStack, Info, NO_STACK, SI_TKILL, SI_USER, bit, blockable, number};
use crate::linux::threads::{On, Wait};
use crate::linux::{Fail, Process, Served};

/// SS_ONSTACK
const ON_STACK: u32 = 1;

impl<E: Engine + 'static> Process<E> {
    /// A signal for the process.
    pub(super) fn kill(&mut self, whom: u64, signal: u64) -> Served {
        let (whom, signal) = (whom as i32, signal as u32);
        let own = i64::from(self.id());
        if signal > number::LAST {
            return Err(Errno::INVAL.into());
        }
        // 0 is its group, in which nobody else is.
        if i64::from(whom).abs() != own && whom != 0 {
            return Err(Errno::SRCH.into());
        }
        if signal != 0 {
            self.send(Info::sent(signal, SI_USER))?;
        }
        Ok(0)
    }

    /// A signal for a thread, of this process.
    pub(super) fn tgkill(&mut self, process: u64, thread: u64, signal: u64) -> Served {
        let (thread, signal) = (thread as u32, signal as u32);
        if signal > number::LAST || thread as i32 <= 0 {
            return Err(Errno::INVAL.into());
        }
        if process as u32 != self.id() || self.threads.iter().all(|other| other.id != thread) {
            return Err(Errno::SRCH.into());
        }
        if signal != 0 {
            self.send_to(thread, Info::sent(signal, SI_TKILL))?;
        }
        Ok(0)
    }

    pub(super) fn queue(&mut self, a: &[u64; 6]) -> Served {
        let mut bytes = [0; 32];
        self.machine.read(a[2], &mut bytes)?;
        let target = self.abi.target;
        let code = target.number(&bytes[8..12]) as i32;
        let at = if self.abi.is_64 { 24 } else { 20 };
        let value = target.number(&bytes[at..at + self.abi.word()]);
        let signal = a[1] as u32;
        if a[0] as u32 != self.id() {
            return Err(Errno::SRCH.into());
        }
        if signal == 0 || signal > number::LAST {
            return Err(Errno::INVAL.into());
        }
        self.send(Info { value, ..Info::sent(signal, code) })?;
        Ok(0)
    }

    pub(super) fn sigaction(&mut self, a: &[u64; 6]) -> Served {
        let [signal, new, old, size, ..] = *a;
        let signal = signal as u32;
        let own = [number::KILL, number::STOP].contains(&signal);
        if size != 8 || signal == 0 || signal > number::LAST || own && new != 0 {
            return Err(Errno::INVAL.into());
        }
        let before = self.signals.actions[signal as usize];
        let word = self.abi.word();
        let wanted = if new == 0 {
            None
        } else {
            let mut bytes = vec![0; 3 * word + 8];
            self.machine.read(new, &mut bytes)?;
            let field = |n: usize| self.abi.target.number(&bytes[n * word..(n + 1) * word]);
            let mask = self.abi.target.number(&bytes[3 * word..]);
            Some(Action { handler: field(0), flags: field(1), restorer: field(2), mask })
        };
        if old != 0 {
            let structure = Structure::new(&self.abi).word(before.handler).word(before.flags).word(before.restorer);
            self.machine.write(old, &structure.long(before.mask).bytes())?;
        }
        if let Some(action) = wanted {
            self.signals.actions[signal as usize] = action;
        }
        Ok(0)
    }

    pub(super) fn read_mask(&mut self, at: u64, size: u64) -> Result<u64, Fail> {
        if size != 8 {
            return Err(Errno::INVAL.into());
        }
        let mut bytes = [0; 8];
        self.machine.read(at, &mut bytes)?;
        Ok(blockable(self.abi.target.number(&bytes)))
    }

    pub(super) fn sigprocmask(&mut self, a: &[u64; 6]) -> Served {
        let [how, new, old, size, ..] = *a;
        let before = self.threads.current.signals.blocked;
        if size != 8 {
            return Err(Errno::INVAL.into());
        }
        if new != 0 {
            let mask = self.read_mask(new, size)?;
            self.threads.current.signals.blocked = match how {
                0 => before | mask,
                1 => before & !mask,
                2 => mask,
                _ => return Err(Errno::INVAL.into()),
            };
        }
        if old != 0 {
            self.machine.write(old, &before.to_le_bytes())?;
        }
        Ok(0)
    }

    pub(super) fn sigpending(&mut self, a: &[u64; 6]) -> Served {
        let own = &self.threads.current.signals;
        let waiting = own.pending.iter().chain(&self.signals.pending);
        let waiting = own.blocked & waiting.fold(0, |mask, info| mask | bit(info.signal));
        self.machine.write(a[0], &waiting.to_le_bytes())?;
        Ok(0)
    }

    /// Waits for a signal that is handled.
    pub(super) fn sigsuspend(&mut self, a: &[u64; 6]) -> Served {
        let mask = self.read_mask(a[0], a[1])?;
        let own = &mut self.threads.current.signals;
        own.saved = Some(own.blocked);
        own.blocked = mask;
        self.pause()
    }

    /// The same, with the mask that it has.
    pub(super) fn pause(&mut self) -> Served {
        Err(Fail::Wait(Wait { on: On::Signal { of: 0 }, until: None }))
    }

    /// Takes one of these signals, or waits for it.
    pub(super) fn sigtimedwait(&mut self, a: &[u64; 6], width: Width) -> Served {
        let [set, information, time, size, ..] = *a;
        let of = self.read_mask(set, size)?;
        if let Some(info) = self.take_signal(of) {
            if information != 0 {
                let structure = info.structure(self);
                self.machine.write(information, &structure)?;
            }
            return Ok(info.signal.into());
        }
        let time = if time == 0 { None } else { Some(self.read_timespec(time, width)?) };
        let until = self.until(time);
        Err(if self.has_passed(until) {
            Errno::AGAIN.into()
        } else {
            Fail::Wait(Wait { on: On::Signal { of }, until })
        })
    }

    pub(super) fn sigaltstack(&mut self, a: &[u64; 6]) -> Served {
        let before = self.threads.current.signals.stack;
        let sp = self.machine.get(Register::Sp) as u64;
        let on_it = sp.wrapping_sub(before.start) < before.size;
        let word = self.abi.word();
        if a[0] != 0 {
            let mut bytes = vec![0; 3 * word];
            self.machine.read(a[0], &mut bytes)?;
            let target = self.abi.target;
            let flags = target.number(&bytes[word..word + 4]) as u32;
            let size = target.number(&bytes[2 * word..]);
            if on_it {
                return Err(Errno::PERM.into());
            }
            let off = flags & NO_STACK != 0;
            if !off && size < 2048 {
                return Err(Errno::NOMEM.into());
            }
            let start = if off { 0 } else { target.number(&bytes[..word]) };
            self.threads.current.signals.stack =
                AlternateStack { start, size: if off { 0 } else { size }, flags: flags & NO_STACK };
        }
        if a[1] != 0 {
            let flags = before.flags | if on_it { ON_STACK } else { 0 };
            let structure = Structure::new(&self.abi).word(before.start).int(flags).aligned(word).word(before.size);
            self.machine.write(a[1], &structure.bytes())?;
        }
        Ok(0)
    }
}
