//! Where the program runs: its attendant, which does what the debugger asks for while it stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use super::{Over, signal_of};
use crate::executor::attendant::{Attendant, Attended, Crew};
use crate::executor::hosted::engine::Ended;
use crate::executor::traps::{Outcome, Sight, Traps, Watched};
use crate::executor::{Budget, Limit, Register, Resume, Stop};
use crate::linux;

/// Instructions between two looks whether the debugger wants the program to stand still.
const SLICE: u64 = 4_000_000;

/// Something to do with a program that stands still.
pub(super) type Job = Box<dyn FnOnce(&mut Scene<'_>, &mut Traps) + Send>;

/// What there is to look at and to change.
pub(super) struct Scene<'s> {
    /// The processor, with the registers of the thread that has it.
    pub(super) processor: &'s mut dyn Attended,
    /// The threads.
    pub(super) crew: &'s mut dyn Crew,
}

impl Scene<'_> {
    /// A register of a thread; 0 for one there is not.
    pub(super) fn get(&self, thread: u32, register: Register) -> u128 {
        match self.crew.current() == thread {
            true => self.processor.get(register),
            false => self.crew.get(thread, register).unwrap_or(0),
        }
    }

    /// Sets a register of a thread. Whether there is such a thread.
    pub(super) fn set(&mut self, thread: u32, register: Register, value: u128) -> bool {
        if self.crew.current() != thread {
            return self.crew.set(thread, register, value);
        }
        self.processor.set(register, value);
        true
    }
}

/// How a program goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Go {
    /// A thread that makes one step.
    pub(super) step: Option<u32>,
    /// The first thread that goes on.
    pub(super) only: Option<u32>,
    /// Whether those that were not named stand still.
    pub(super) alone: bool,
    /// Whether it gets the signal that it was stopped by.
    pub(super) signal: bool,
}

/// What the debugger wants.
pub(super) enum Message {
    /// Something done.
    Job(Job),
    /// The program to go on.
    Go(Go),
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
    /// The program stands still, in this thread.
    Stopped(Report, u32),
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
    /// A thread makes a step, of which the first half may be over: a call.
    Step {
        thread: u32,
        begun: bool,
    },
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
    fn stand(&mut self, scene: &mut Scene<'_>, report: Option<Report>) -> Option<Ended> {
        if let Some(report) = report {
            let _ = self.report.send(Event::Stopped(report, scene.crew.current()));
        }
        let leave = loop {
            match self.messages.recv() {
                Ok(Message::Job(job)) => job(scene, &mut self.traps),
                Ok(Message::Go(go)) => {
                    self.go(scene.crew, go);
                    return None;
                }
                Ok(Message::Leave(leave)) => break leave,
                Err(_) => break Leave::Ended("the debugger is gone".to_owned()),
            }
        };
        scene.crew.share();
        self.leave(scene.processor, leave)
    }

    fn go(&mut self, crew: &mut dyn Crew, go: Go) {
        self.signal = go.signal;
        self.mode = match go.step {
            None => Mode::Run,
            // What it waits for is what it steps over.
            Some(thread) => {
                let waits = crew.members().iter().any(|member| member.id == thread && member.waits.is_some());
                Mode::Step { thread, begun: waits }
            }
        };
        match go.step.or(go.only.filter(|_| go.alone)) {
            Some(thread) => crew.prefer(thread, go.alone),
            None => crew.share(),
        }
    }

    /// The thread at the processor has made a part of its step, if it `steps`.
    fn begin_step(&mut self, steps: bool) {
        if let Mode::Step { begun, .. } = &mut self.mode {
            *begun |= steps;
        }
    }

    /// Whether the thread at the processor is one that steps.
    fn steps(&self, crew: &dyn Crew) -> bool {
        matches!(self.mode, Mode::Step { thread, .. } if thread == crew.current())
    }

    /// Whether the thread that is to step is another one, which can: it has to get the processor.
    fn steps_elsewhere(&self, crew: &dyn Crew) -> bool {
        matches!(self.mode, Mode::Step { thread, begun: false } if thread != crew.current())
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
    fn due(&mut self, crew: &dyn Crew, pc: u64) -> Option<Report> {
        if self.interrupt.swap(false, Ordering::Relaxed) {
            Some(Report::Interrupted)
        } else if self.traps.breakpoints.contains(&pc) {
            Some(Report::Breakpoint)
        } else {
            (self.steps(crew) && matches!(self.mode, Mode::Step { begun: true, .. })).then_some(Report::Stepped)
        }
    }
}

/// The run is over, and the program is not: whose turn it is is decided anew.
const YIELDS: Ended = Ended::Stop(Stop::OutOfBudget(Limit::Instructions));

impl Attendant for Desk {
    fn run(&mut self, processor: &mut dyn Attended, crew: &mut dyn Crew, begin: u64, resume: Resume) -> Ended {
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
        let mut report = if waits { None } else { self.due(crew, begin & !1) };
        let mut stands = waits || report.is_some();
        loop {
            if std::mem::take(&mut stands) {
                if let Some(ended) = self.stand(&mut Scene { processor, crew }, report.take()) {
                    return ended;
                }
                if self.steps_elsewhere(crew) {
                    return YIELDS;
                }
            }
            let pc = processor.pc();
            if self.mode == Mode::Alone || is_host(pc) {
                return plain(processor, pc);
            }
            let step = self.steps(crew);
            let (outcome, has_more) = self.slice(processor, pc, if step { Resume::Step } else { Resume::Run });
            let said = match outcome {
                Outcome::Sight(Sight::Breakpoint) => Some(Report::Breakpoint),
                Outcome::Sight(Sight::Access { writes, address }) => Some(self.access(address, writes)),
                Outcome::Sight(Sight::Full) => None,
                // What is called next is a part of the step.
                Outcome::Ended(Ended::Stop(Stop::Stepped)) if is_host(processor.pc()) => {
                    self.begin_step(step);
                    return Ended::Host;
                }
                Outcome::Ended(Ended::Stop(Stop::Stepped)) => Some(Report::Stepped),
                Outcome::Ended(Ended::Stop(Stop::OutOfBudget(Limit::Instructions))) if has_more => {
                    self.due(crew, processor.pc() & !1)
                }
                // Its turn is over before its step.
                Outcome::Ended(ended @ Ended::Stop(Stop::OutOfBudget(_))) => return ended,
                Outcome::Ended(ended) => {
                    let Ended::Stop(stop @ (Stop::Fault(_) | Stop::Breakpoint { .. })) = &ended else {
                        self.begin_step(step);
                        return ended;
                    };
                    if self.is_process && linux::is_request(processor, stop) {
                        self.begin_step(step);
                        return ended;
                    }
                    let signal = signal_of(stop).map(Report::Signal);
                    if let Some(other) = self.stand(&mut Scene { processor, crew }, signal) {
                        return other;
                    }
                    if self.signal || self.mode == Mode::Alone {
                        self.told = true;
                        self.begin_step(self.steps(crew));
                        return ended;
                    }
                    if self.steps_elsewhere(crew) {
                        return YIELDS;
                    }
                    None
                }
            };
            (stands, report) = (said.is_some(), said);
        }
    }

    fn idle(&mut self, processor: &mut dyn Attended, crew: &mut dyn Crew) -> Option<Ended> {
        let wants = self.mode != Mode::Alone && self.interrupt.swap(false, Ordering::Relaxed);
        wants.then(|| self.stand(&mut Scene { processor, crew }, Some(Report::Interrupted))).flatten()
    }

    fn ended(&mut self, processor: &mut dyn Attended, crew: &mut dyn Crew, stop: &Stop) {
        let runs = matches!(self.mode, Mode::Run | Mode::Step { .. });
        let Some(signal) = signal_of(stop).filter(|_| !self.told && runs) else { return };
        // It is over, whatever the debugger wants then.
        let _ = self.stand(&mut Scene { processor, crew }, Some(Report::Signal(signal)));
        self.mode = Mode::Alone;
    }
}
