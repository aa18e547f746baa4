//! The threads of a process: what each has for itself, and what it waits for.

use std::collections::BTreeMap;
use std::time::Duration;

use super::abi::Width;
use super::signals::Own;
use crate::dice::Dice;

/// The number of every process, which is that of its first thread, too.
pub(super) const FIRST: u32 = 1000;
/// Threads that a process may have at the same time.
pub(super) const MOST: usize = 1024;

/// What a thread waits for.
#[derive(Clone, Debug)]
pub(super) struct Wait {
    pub(super) on: On,
    /// The time of CLOCK_MONOTONIC until which it waits; for ever if there is none.
    pub(super) until: Option<Duration>,
}

/// What ends a wait, besides time and signals.
#[derive(Clone, Debug)]
pub(super) enum On {
    /// Another thread that wakes those who wait for this word (futex), with one of these bits. `was` is what the word was.
    Word { address: u64, bits: u32, was: u32 },
    /// Nothing. What is left of the time is written there when a signal comes.
    Time { rest: Option<(u64, Width)> },
    /// A file that another thread changes, or our standard input. `what` says for what in words, `done` how many bytes of the call
    /// are written, `restarts` whether it is made again behind a handler that says so.
    Files { what: &'static str, outside: bool, done: usize, restarts: bool },
    /// A signal: one that is handled, or one of those in this mask.
    Signal { of: u64 },
}

impl Wait {
    /// The wait of a call that reads or writes.
    pub(super) fn for_file(what: &'static str, outside: bool, done: usize) -> Wait {
        Wait { on: On::Files { what, outside, done, restarts: true }, until: None }
    }
}

/// What a call that has waited comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// This value.
    Value(u64),
    /// It is made again.
    Again,
}

/// A thread. `C` is the state of a processor.
#[derive(Debug)]
pub(super) struct Thread<C> {
    pub(super) id: u32,
    /// What it calls itself (PR_SET_NAME).
    pub(super) name: [u8; 16],
    /// The registers, while another thread has the processor.
    pub(super) registers: Option<C>,
    /// What it waits for, if it does.
    pub(super) waits: Option<Wait>,
    /// When it began to wait, counted in waits.
    pub(super) since: u64,
    /// What its call comes to when it goes on.
    pub(super) outcome: Option<Outcome>,
    /// Until when the call waits that is made again.
    pub(super) until: Option<Duration>,
    /// How many bytes it has written.
    pub(super) done: usize,
    /// Where its end is noted (set_tid_address).
    pub(super) clear_on_exit: u64,
    /// The locks that it tells us of (set_robust_list).
    pub(super) robust: u64,
    pub(super) signals: Own,
    /// The time that it has worked.
    pub(super) worked: Duration,
}

impl<C> Thread<C> {
    fn new(id: u32, name: [u8; 16]) -> Thread<C> {
        Thread {
            id,
            name,
            registers: None,
            waits: None,
            since: 0,
            outcome: None,
            until: None,
            done: 0,
            clear_on_exit: 0,
            robust: 0,
            signals: Own::default(),
            worked: Duration::ZERO,
        }
    }

    /// It goes on, and its call comes to this.
    pub(super) fn wake(&mut self, outcome: Outcome) {
        let wait = self.waits.take().filter(|_| outcome == Outcome::Again);
        self.done = match wait.as_ref().map(|wait| &wait.on) {
            Some(On::Files { done, .. }) => *done,
            _ => 0,
        };
        self.until = wait.and_then(|wait| wait.until);
        self.outcome = Some(outcome);
    }
}

/// All threads there are.
#[derive(Debug)]
pub(super) struct Threads<C> {
    /// The thread that has the processor.
    pub(super) current: Thread<C>,
    others: BTreeMap<u32, Thread<C>>,
    last: u32,
    waits: u64,
    /// Decides whose turn it is, and how long it is.
    pub(super) dice: Dice,
    /// Instructions that are left of the current thread's turn.
    pub(super) turn: u64,
    /// Whether it leaves its turn to another one.
    pub(super) yields: bool,
    /// The one that whoever attends the program wants to have the processor.
    pub(super) wanted: Option<Wanted>,
}

/// A thread that is to have the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) thread: u32,
    /// Whether no other one is to have it until it waits.
    pub(super) alone: bool,
}

impl<C> Threads<C> {
    /// The first thread.
    pub(super) fn new(name: &str, seed: u64) -> Threads<C> {
        let name = name.rsplit('/').next().unwrap_or_default();
        let mut own = [0; 16];
        let length = name.len().min(15);
        own[..length].copy_from_slice(&name.as_bytes()[..length]);
        Threads {
            current: Thread::new(FIRST, own),
            others: BTreeMap::new(),
            last: FIRST,
            waits: 0,
            // Random numbers that the process gets are others.
            dice: Dice::new(!seed),
            turn: 0,
            yields: false,
            wanted: None,
        }
    }

    /// Whether there are others, or were.
    pub(super) fn had_others(&self) -> bool {
        self.last > FIRST
    }

    pub(super) fn count(&self) -> usize {
        1 + self.others.len()
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Thread<C>> {
        self.iter_mut().find(|thread| thread.id == id)
    }

    /// All of them, the current one first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Thread<C>> {
        std::iter::once(&self.current).chain(self.others.values())
    }

    /// See [`Threads::iter`].
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Thread<C>> {
        std::iter::once(&mut self.current).chain(self.others.values_mut())
    }

    /// A new thread, with the name and the mask of the current one. None where there are too many.
    pub(super) fn begin(&mut self, registers: C) -> Option<&mut Thread<C>> {
        if self.count() >= MOST {
            return None;
        }
        self.last = self.last.checked_add(1).filter(|id| *id <= i32::MAX as u32)?;
        let mut thread = Thread::new(self.last, self.current.name);
        thread.signals.blocked = self.current.signals.blocked;
        thread.registers = Some(registers);
        Some(self.others.entry(self.last).or_insert(thread))
    }

    /// Has another thread be the current one, and returns the one that was, which is not among them any more.
    pub(super) fn replace(&mut self, id: u32) -> Option<Thread<C>> {
        let next = self.others.remove(&id)?;
        Some(std::mem::replace(&mut self.current, next))
    }

    /// Has one be among them again.
    pub(super) fn keep(&mut self, thread: Thread<C>) {
        self.others.insert(thread.id, thread);
    }

    /// The current thread waits.
    pub(super) fn wait(&mut self, wait: Wait) {
        self.waits += 1;
        self.current.since = self.waits;
        self.current.waits = Some(wait);
    }

    /// Those who wait for a word with one of these bits, who have waited longest first.
    pub(super) fn waiting_for(&self, word: u64, of: u32) -> Vec<u32> {
        let mut found: Vec<_> = self.iter().filter(|thread| thread.waits_for(word, of)).collect();
        found.sort_by_key(|thread| thread.since);
        found.iter().map(|thread| thread.id).collect()
    }
}

impl<C> Thread<C> {
    fn waits_for(&self, word: u64, of: u32) -> bool {
        let on = self.waits.as_ref().map(|wait| &wait.on);
        matches!(on, Some(On::Word { address, bits, .. }) if *address == word && bits & of != 0)
    }
}
