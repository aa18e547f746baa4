//! Where the program runs: its attendant, which does what the debugger asks for while it stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use super::{Over, signal_of};
use crate::executor::attendant::{Attendant, Attended};
use crate::executor::hosted::engine::Ended;
use crate::executor::traps::{Outcome, Sight, Traps, Watched};
use crate::executor::{Budget, Limit, Resume, Stop};
use crate::linux;

/// Instructions between two looks whether the debugger wants the program to stand still.
const SLICE: u64 = 4_000_000;

/// Something to do with a program that stands still.
pub(super) type Job = Box<dyn FnOnce(&mut dyn Attended, &mut Traps) + Send>;

/// What the debugger wants.
pub(super) enum Message {
    /// Something done.
    Job(Job),
    /// The program to go on: for one instruction, and with the signal that it was stopped by, or without.
    Go { step: bool, signal: bool },
    /// Nothing any more.
    Leave(Leave),
}

/// How a debugger leaves.
pub(super) enum Leave {
    /// The program goes on by itself.
    Detached,
    /// The program ends, for this reason.
    Ended(String),
}

/// What the debugger is told.
pub(super) enum Event {
    /// The program stands still.
    Stopped(Report),
    /// It is over.
    Over(Over),
}

/// Why the program stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// It made its step.
    Stepped,
    /// A breakpoint.
    Breakpoint,
    /// It is about to access what is watched for such accesses.
    Access { watched: Watched, address: u64 },
    /// A signal, by gdb's number.
    Signal(u8),
    /// The debugger wanted it to.
    Interrupted,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// It has not begun.
    Waiting,
    Run,
    Step,
    /// Nobody is there any more.
    Alone,
}

/// The attendant of a program that is debugged.
pub struct Desk {
    messages: Receiver<Message>,
    report: Sender<Event>,
    interrupt: Arc<AtomicBool>,
    traps: Traps,
    mode: Mode,
    /// Whether the program is to get the signal that it was stopped by.
    signal: bool,
    /// Whether somebody serves what the program asks a debugger for.
    is_process: bool,
    /// Whether the debugger knows of the signal that ends the program.
    told: bool,
}

impl Desk {
    pub(super) fn new(
        messages: Receiver<Message>,
        report: Sender<Event>,
        interrupt: Arc<AtomicBool>,
        is_process: bool,
    ) -> Desk {
        let (traps, mode) = (Traps::default(), Mode::Waiting);
        Desk { messages, report, interrupt, traps, mode, signal: false, is_process, told: false }
    }

    /// Tells the debugger, and does what it wants until the program is to go on. How it ends, if it is not to.
    fn stand(&mut self, processor: &mut dyn Attended, report: Option<Report>) -> Option<Ended> {
        if let Some(report) = report {
            let _ = self.report.send(Event::Stopped(report));
        }
        let leave = loop {
            match self.messages.recv() {
                Ok(Message::Job(job)) => job(processor, &mut self.traps),
                Ok(Message::Go { step, signal }) => {
                    (self.mode, self.signal) = (if step { Mode::Step } else { Mode::Run }, signal);
                    return None;
                }
                Ok(Message::Leave(leave)) => break leave,
                Err(_) => break Leave::Ended("the debugger is gone".to_owned()),
            }
        };
        self.leave(processor, leave)
    }

    fn leave(&mut self, processor: &mut dyn Attended, leave: Leave) -> Option<Ended> {
        self.mode = Mode::Alone;
        processor.set_traps(&Traps::default());
        match leave {
            Leave::Detached => None,
            Leave::Ended(why) => Some(Ended::Stop(Stop::Refused(why))),
        }
    }

    /// Runs for a while. The budget of instructions is what it was, less what was executed.
    fn slice(&self, processor: &mut dyn Attended, begin: u64, resume: Resume) -> (Outcome, bool) {
        let allow = |processor: &mut dyn Attended, instructions| {
            processor.allow(Budget { time: Duration::MAX, ..Budget::of_instructions(instructions) });
        };
        let left = processor.unspent();
        let slice = left.min(SLICE);
        allow(processor, slice);
        let outcome = processor.go(begin, resume);
        let left = left - slice + processor.unspent().min(slice);
        allow(processor, left);
        (outcome, left > 0)
    }

    /// What the debugger is told of an access.
    fn access(&self, address: u64, writes: bool) -> Report {
        let counts = |watched: Watched| watched == Watched::Both || (watched == Watched::Writes) == writes;
        let watchpoints = self.traps.watchpoints.iter();
        let hit = watchpoints.filter(|watchpoint| counts(watchpoint.access)).find(|w| w.bytes.contains(&address));
        let (watched, address) = hit.map_or((Watched::Both, address), |hit| (hit.access, *hit.bytes.start()));
        Report::Access { watched, address }
    }

    /// Whether the program has to stand still before it goes on from here, which nobody has said yet.
    fn due(&mut self, pc: u64) -> Option<Report> {
        if self.interrupt.swap(false, Ordering::Relaxed) {
            Some(Report::Interrupted)
        } else if self.traps.breakpoints.contains(&pc) {
            Some(Report::Breakpoint)
        } else {
            (self.mode == Mode::Step).then_some(Report::Stepped)
        }
    }
}

impl Attendant for Desk {
    fn run(&mut self, processor: &mut dyn Attended, begin: u64, resume: Resume) -> Ended {
        let host = processor.host();
        let is_host = |pc: u64| host.contains(&(pc & !1));
        let plain = |processor: &mut dyn Attended, begin| match processor.go(begin, resume) {
            Outcome::Ended(ended) => ended,
            Outcome::Sight(_) => Ended::Stop(Stop::Refused("it stopped for nobody".to_owned())),
        };
        if self.mode == Mode::Alone || is_host(begin) {
            return plain(processor, begin);
        }
        self.told = false;
        processor.set_pc(begin);
        let waits = self.mode == Mode::Waiting;
        let mut report = if waits { None } else { self.due(begin & !1) };
        let mut stands = waits || report.is_some();
        loop {
            if std::mem::take(&mut stands)
                && let Some(ended) = self.stand(processor, report.take())
            {
                return ended;
            }
            let pc = processor.pc();
            if self.mode == Mode::Alone || is_host(pc) {
                return plain(processor, pc);
            }
            let step = self.mode == Mode::Step;
            let (outcome, has_more) = self.slice(processor, pc, if step { Resume::Step } else { Resume::Run });
            let said = match outcome {
                Outcome::Sight(Sight::Breakpoint) => Some(Report::Breakpoint),
                Outcome::Sight(Sight::Access { writes, address }) => Some(self.access(address, writes)),
                Outcome::Sight(Sight::Full) => None,
                // What is called next is a part of the step.
                Outcome::Ended(Ended::Stop(Stop::Stepped)) if is_host(processor.pc()) => return Ended::Host,
                Outcome::Ended(Ended::Stop(Stop::Stepped)) => Some(Report::Stepped),
                Outcome::Ended(Ended::Stop(Stop::OutOfBudget(Limit::Instructions))) if has_more => {
                    self.due(processor.pc() & !1)
                }
                Outcome::Ended(ended) => {
                    let Ended::Stop(stop @ (Stop::Fault(_) | Stop::Breakpoint { .. })) = &ended else { return ended };
                    if self.is_process && linux::is_request(processor, stop) {
                        return ended;
                    }
                    let signal = signal_of(stop).map(Report::Signal);
                    if let Some(other) = self.stand(processor, signal) {
                        return other;
                    }
                    if self.signal || self.mode == Mode::Alone {
                        self.told = true;
                        return ended;
                    }
                    None
                }
            };
            (stands, report) = (said.is_some(), said);
        }
    }

    fn idle(&mut self, processor: &mut dyn Attended) -> Option<Ended> {
        let wants = self.mode != Mode::Alone && self.interrupt.swap(false, Ordering::Relaxed);
        wants.then(|| self.stand(processor, Some(Report::Interrupted))).flatten()
    }

    fn ended(&mut self, processor: &mut dyn Attended, stop: &Stop) {
        let Some(signal) = signal_of(stop).filter(|_| !self.told && matches!(self.mode, Mode::Run | Mode::Step)) else {
            return;
        };
        // It is over, whatever the debugger wants then.
        let _ = self.stand(processor, Some(Report::Signal(signal)));
        self.mode = Mode::Alone;
    }
}
