//! Whose turn it is: the threads of a process share one processor. A turn ends with a call that waits, now and then with another
//! call, and after a number of instructions. The seed decides which, how many, and whose turn is next, so the same seed gives the
//! same run.

use std::fmt;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::files::has_input;
use super::signals::RESTART;
use super::threads::{On, Outcome, Thread, Wait};
use super::{End, Process};
use crate::executor::hosted::engine::{Ended, Engine};
use crate::executor::{Budget, Guest as _, Limit, Register, Stop};

/// How many bits the number of a turn's instructions has: short turns find races, long ones cost less.
const BITS: (usize, usize) = (7, 18);
/// A call that does not wait ends a turn once in so many.
const CALLS: usize = 8;
/// A turn that ends because time for another thread has come is no shorter than this: no block of instructions is longer.
const SHORTEST: u64 = 2048;
/// How many instructions are executed between two looks at our standard input.
const LOOK: u64 = 1 << 20;
/// How long is waited for it before whoever attends the program is asked.
const WHILE: Duration = Duration::from_millis(100);

/// A thread that waits for ever, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its number.
    pub thread: u32,
    /// What it calls itself.
    pub name: String,
    /// What it waits for, in words.
    pub what: String,
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thread {} ({}) waits {}", self.thread, self.name, self.what)
    }
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            On::Word { address, was, .. } => write!(f, "for the word at {address:#x}, which was {was:#x} (futex)"),
            On::Time { .. } => f.write_str("for time to go by"),
            On::Files { what, .. } => f.write_str(what),
            On::Signal { .. } => f.write_str("for a signal"),
        }
    }
}

impl<C> Thread<C> {
    /// Whether what it waits for may come from outside.
    fn waits_outside(&self) -> bool {
        self.waits.as_ref().is_some_and(|wait| matches!(wait.on, On::Files { outside: true, .. }))
    }

    /// What it calls itself, as text.
    pub(super) fn called(&self) -> String {
        let length = self.name.iter().position(|&byte| byte == 0).unwrap_or(self.name.len());
        // The process chooses it, and a terminal shows it.
        String::from_utf8_lossy(&self.name[..length]).replace(char::is_control, "?")
    }
}

/// What the kernel gives for an error.
fn error(errno: Errno) -> Outcome {
    Outcome::Value((-i64::from(errno.raw_os_error())) as u64)
}

impl<E: Engine + 'static> Process<E> {
    /// Has a thread be the current one that can go on, with what its call comes to in its registers.
    pub(super) fn schedule(&mut self) -> Option<End> {
        loop {
            self.ring();
            if self.threads.count() > 1 || self.threads.current.waits.is_some() {
                self.end_waits();
            }
            let mut ready: Vec<u32> =
                self.threads.iter().filter(|thread| thread.waits.is_none()).map(|thread| thread.id).collect();
            let own = self.threads.current.id;
            let yields = std::mem::take(&mut self.threads.yields);
            if yields && ready.len() > 1 {
                ready.retain(|id| *id != own);
            }
            // Who attends the program may want one.
            let wanted = self.threads.wanted.filter(|wanted| ready.contains(&wanted.thread));
            if let Some(wanted) = wanted {
                ready.retain(|id| *id == wanted.thread);
                self.threads.wanted = Some(wanted).filter(|wanted| wanted.alone);
            }
            let stays = ready.contains(&own) && (ready.len() == 1 && wanted.is_none() || self.threads.turn > 0);
            let ending = self.threads.iter().find(|thread| self.interrupts(thread) == Some(None));
            let next = match ending.map(|thread| thread.id) {
                Some(ending) => ending,
                None if stays => own,
                None if ready.is_empty() => match self.pass_time() {
                    Some(end) => return Some(end),
                    None => continue,
                },
                None => {
                    let bits = self.threads.dice.between(BITS.0, BITS.1);
                    self.threads.turn = (1 << bits) + self.threads.dice.below(1 << bits) as u64;
                    ready[self.threads.dice.below(ready.len())]
                }
            };
            if let Err(why) = self.show(next) {
                return Some(End::Stopped(Stop::Refused(why)));
            }
            self.take_outcome();
            return None;
        }
    }

    /// Has registers be those of a thread.
    ///
    /// # Errors
    /// The machine says what is wrong with it.
    pub fn show(&mut self, thread: u32) -> Result<(), String> {
        if thread == self.threads.current.id {
            return Ok(());
        }
        let registers = self.machine.engine.save()?;
        if let Some(mut before) = self.threads.replace(thread) {
            before.registers = Some(registers);
            self.threads.keep(before);
            self.load()?;
        }
        Ok(())
    }

    /// The current thread is over.
    pub(super) fn end_thread(&mut self) -> Result<(), String> {
        let other = self.threads.iter().map(|thread| thread.id).find(|id| *id != self.threads.current.id);
        self.threads.turn = 0;
        let Some(ended) = other.and_then(|other| self.threads.replace(other)) else { return Ok(()) };
        self.load()?;
        // What was for the process is for another thread.
        for info in ended.signals.pending.into_iter().filter(|info| !info.to_thread) {
            // Where there are too many it is lost, as it would have been.
            let _ = self.send(info);
        }
        Ok(())
    }

    fn load(&mut self) -> Result<(), String> {
        if let Some(registers) = self.threads.current.registers.take() {
            self.machine.engine.restore(&registers)?;
            self.machine.engine.forget_reservations();
        }
        Ok(())
    }

    /// What a call has come to that waited is put where the thread looks for it.
    fn take_outcome(&mut self) {
        match self.threads.current.outcome.take() {
            None => {}
            Some(Outcome::Value(value)) => self.machine.set(Register::Core(0), value.into()),
            // A handler comes first, and has calls of its own: what was done so far is what this one comes to.
            Some(Outcome::Again)
                if self.interrupts(&self.threads.current).is_some() && self.threads.current.done > 0 =>
            {
                let done = std::mem::take(&mut self.threads.current.done);
                self.threads.current.until = None;
                self.machine.set(Register::Core(0), done as u128);
            }
            Some(Outcome::Again) => {
                let thumb = self.machine.engine.thumb();
                let pc = self.machine.get(Register::Pc) as u64;
                let call = pc.wrapping_sub(if thumb { 2 } else { 4 });
                self.machine.engine.set_pc(call | u64::from(thumb));
            }
        }
    }

    /// Ends the waits of those whose time is over, or who have a signal to see to.
    fn end_waits(&mut self) {
        let mut ended = Vec::new();
        let changed = std::mem::take(&mut self.files.changed);
        let mut input = None;
        for thread in self.threads.iter() {
            let Some(wait) = &thread.waits else { continue };
            if let Some(flags) = self.interrupts(thread) {
                ended.push((thread.id, wait.interrupted(flags), true));
            } else if self.has_passed(wait.until) {
                ended.push((thread.id, wait.timed_out(), false));
            } else if let On::Files { outside, .. } = wait.on
                && (changed || outside && *input.get_or_insert_with(|| has_input(Duration::ZERO).unwrap_or(true)))
            {
                ended.push((thread.id, Outcome::Again, false));
            }
        }
        for (thread, outcome, interrupted) in ended {
            let Some(thread) = self.threads.get_mut(thread) else { continue };
            let wait = thread.waits.clone();
            thread.wake(outcome);
            if let Some(Wait { on: On::Time { rest: Some((at, width)) }, until: Some(until) }) = wait
                && interrupted
            {
                let left = self.timespec(until.saturating_sub(self.clock.up()), width);
                // Where it cannot be written the process finds nothing there.
                let _ = self.machine.write(at, &left);
            }
        }
    }

    /// Everybody waits. Time goes by until it is over for one of them; or the process ends.
    fn pass_time(&mut self) -> Option<End> {
        let waits = self.threads.iter().filter_map(|thread| thread.waits.as_ref()?.until);
        let until = waits.chain(self.timer.map(|timer| timer.at)).min();
        let time = until.map(|until| until.saturating_sub(self.clock.up()));
        if self.threads.iter().any(Thread::waits_outside) {
            return self.wait_outside(time);
        }
        let Some(time) = time else { return Some(End::Deadlock(self.waiting())) };
        if time > self.time_left() {
            return Some(End::Stopped(Stop::OutOfBudget(Limit::Time)));
        }
        self.clock.sleep(time);
        // It counts for the run as if it had gone by.
        self.machine.deadline = self.machine.deadline.map(|deadline| deadline.checked_sub(time).unwrap_or(deadline));
        self.allow(self.machine.engine.unspent());
        None
    }

    /// Waits for our standard input for a while, for so long at most.
    fn wait_outside(&mut self, time: Option<Duration>) -> Option<End> {
        let left = self.time_left();
        let begun = Instant::now();
        // What is wrong with it whoever reads it is told.
        let _ = has_input(time.unwrap_or(left).min(left).min(WHILE));
        // Time outside is ours.
        self.clock.sleep(begun.elapsed());
        if let Some(Ended::Stop(stop)) = self.machine.engine.idle(&mut self.threads) {
            return Some(End::Stopped(stop));
        }
        self.time_left().is_zero().then_some(End::Stopped(Stop::OutOfBudget(Limit::Time)))
    }

    /// All threads, and what each waits for.
    fn waiting(&self) -> Vec<Waiting> {
        let mut all: Vec<Waiting> = self
            .threads
            .iter()
            .filter_map(|thread| {
                let what = thread.waits.as_ref()?.on.to_string();
                Some(Waiting { thread: thread.id, name: thread.called(), what })
            })
            .collect();
        all.sort_by_key(|waiting| waiting.thread);
        all
    }

    /// How many instructions the current thread may execute before others are looked at; none if there is nobody else.
    pub(super) fn turn(&self) -> Option<u64> {
        let until = |time| self.clock.instructions_until(time).max(SHORTEST);
        let others = self.threads.iter().skip(1).filter_map(|thread| match &thread.waits {
            None => Some(self.threads.turn),
            Some(_) if thread.waits_outside() => Some(LOOK),
            Some(wait) => wait.until.map(until),
        });
        others.chain(self.timer.map(|timer| until(timer.at))).min()
    }

    /// So many instructions of a turn are over.
    pub(super) fn pass(&mut self, instructions: u64) {
        self.threads.turn = self.threads.turn.saturating_sub(instructions);
        self.threads.current.worked += self.clock.execute(instructions);
    }

    /// A system call is over.
    pub(super) fn pass_call(&mut self) {
        self.threads.current.worked += self.clock.call();
        if self.threads.count() > 1 && self.threads.dice.one_in(CALLS) {
            self.threads.turn = 0;
        }
    }

    /// Lets the engine execute so many instructions, in the time that is left.
    pub(super) fn allow(&mut self, instructions: u64) {
        let time = self.time_left();
        self.machine.engine.allow(Budget { time, ..Budget::of_instructions(instructions) });
    }

    /// The time that is left of the run.
    fn time_left(&self) -> Duration {
        self.machine.deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

impl Wait {
    /// What becomes of it when a signal comes: the flags of its handler, none if it ends the process.
    fn interrupted(&self, flags: Option<u64>) -> Outcome {
        let restarts = flags.is_some_and(|flags| flags & RESTART != 0);
        match self.on {
            On::Files { done, .. } if done > 0 => Outcome::Value(done as u64),
            On::Word { .. } | On::Files { restarts: true, .. } if restarts && self.until.is_none() => Outcome::Again,
            _ => error(Errno::INTR),
        }
    }

    /// What becomes of it when its time is over.
    fn timed_out(&self) -> Outcome {
        match self.on {
            On::Word { .. } => error(Errno::TIMEDOUT),
            On::Time { .. } => Outcome::Value(0),
            // It sees itself that it is late.
            On::Files { .. } => Outcome::Again,
            On::Signal { .. } => error(Errno::AGAIN),
        }
    }
}
