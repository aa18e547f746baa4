//! The embedded executor: an emulated processor in a process of its own.
//!
//! Unicorn is untrusted: it aborts on some instructions. So it lives in a `process`, which is this program started again
//! (`worker`), at the end of a wire (`executor/wire`); its messages go by a `mailbox` in shared memory. A death costs the program
//! that was running; the next reset starts another process.

mod cpu;
mod deadly;
mod engine;
mod hooks;
mod mailbox;
mod memory;
mod pages;
mod process;
mod registers;
mod trapped;
mod traps;
mod worker;

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use linker::Target;

use self::cpu::Cpu;
pub use self::deadly::is_deadly;
use self::pages::PHYSICAL_SIZE;
use self::process::Process;
use super::hosted::engine::PAGE;
use super::hosted::{self, Hosted};
use super::wire::{Batch, Registers, Reply, Trouble, Wire, Wired};
use super::{Abi, Budget, Lost, TargetInfo};

/// An emulated processor without anything around it.
pub type Processor = Wired<Emulation>;

/// A machine around the embedded emulator.
pub type Unicorn = Hosted<Processor>;

/// The machine could not be made.
#[derive(Debug, thiserror::Error)]
pub enum NewError {
    /// No processor of this engine runs this target's code.
    #[error("no emulated processor for {0}")]
    Unsupported(&'static str),
    /// The engine itself failed.
    #[error("the emulator failed: {0}")]
    Engine(String),
}

/// Instructions that a host call is taken for.
const HOST_CALL: u64 = 8;

/// The way to an emulated processor.
#[derive(Debug)]
pub struct Emulation {
    target: &'static Target,
    process: Option<Process>,
    pristine: Registers,
    instructions: u64,
    deadline: Option<Instant>,
    /// How often a process was started.
    starts: usize,
}

impl Emulation {
    fn new(target: &'static Target) -> Result<Emulation, NewError> {
        let process = Process::start(target).map_err(NewError::Engine)?;
        let pristine = process.pristine().clone();
        Ok(Emulation { target, process: Some(process), pristine, instructions: 0, deadline: None, starts: 1 })
    }

    /// How much of its time is left.
    fn time(&self) -> Duration {
        self.deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

impl Wire for Emulation {
    fn registers(&self, _: &Target) -> Registers {
        self.pristine.clone()
    }

    fn room(&mut self) -> Result<usize, Trouble> {
        Ok(Process::room())
    }

    fn call(&mut self, batch: &Batch, time: Duration) -> Result<Reply, Trouble> {
        let lost = |why| Trouble::Lost(Lost { why, pc: None });
        let process = match &mut self.process {
            Some(process) => process,
            None if !batch.resets() => return Err(lost("the program in the emulator is gone".to_owned())),
            None => {
                let process = Process::start(self.target).map_err(|why| lost(format!("the emulator failed: {why}")))?;
                self.starts += 1;
                self.process.insert(process)
            }
        };
        let reply = process.call(batch, time);
        if matches!(reply, Err(Trouble::Lost(_))) {
            self.process = None;
        }
        reply
    }

    fn memory(&self) -> u64 {
        PHYSICAL_SIZE
    }

    fn allow(&mut self, budget: Budget) {
        self.instructions = budget.instructions;
        self.deadline = Instant::now().checked_add(budget.time);
    }

    fn charge(&mut self) -> bool {
        self.instructions = self.instructions.saturating_sub(HOST_CALL);
        self.instructions > 0 && !self.time().is_zero()
    }

    fn unspent(&self) -> u64 {
        self.instructions
    }

    fn before_run(&mut self, batch: &mut Batch) -> Duration {
        let time = self.time();
        batch.allow(Budget { time, ..Budget::of_instructions(self.instructions) });
        time
    }

    fn after_run(&mut self, reply: &mut Reply) -> Result<(), String> {
        self.instructions = reply.long()?;
        Ok(())
    }

    fn give_up(&mut self, _: &str) {
        self.process = None;
    }

    fn has_traps(&self) -> bool {
        true
    }

    fn reset(&mut self) {}
}

/// Which of these instructions (each a word, or two half-words of Thumb code, the first in the lower half) end the emulator of
/// this target when they are translated, each with what it said last. For whoever looks for more of them than are known:
/// here nothing is met before.
pub fn untranslatable(target: &'static Target, thumb: bool, words: &[u32]) -> Result<Vec<(u32, String)>, NewError> {
    /// Words that go in one message.
    const MOST: usize = 1 << 16;
    let mut found = Vec::new();
    let mut process = None;
    for words in words.chunks(MOST) {
        let code: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut at = 0;
        while at < code.len() {
            let mut emulator = match process.take() {
                Some(emulator) => emulator,
                None => Process::start(target).map_err(NewError::Engine)?,
            };
            let Some((offset, said)) = emulator.untranslatable(SOMEWHERE, thumb, &code[at..]) else {
                process = Some(emulator);
                break;
            };
            found.push((words[(at + offset) / 4], said));
            at = (at + offset) / 4 * 4 + 4;
        }
    }
    Ok(found)
}

/// Where code is translated that is not run.
const SOMEWHERE: u64 = 0x40_0000;

/// Where the machine's own memory is for programs that have their places already: linkers put those low.
fn aside(target: &Target) -> u64 {
    if target.pointer_bits == 64 { 0x70_0000_0000 } else { 0x7000_0000 }
}

fn info(target: &'static Target, cpu: &Cpu, origin: u64) -> TargetInfo {
    TargetInfo {
        target,
        cpu: cpu.name.into(),
        abi: Abi::of(target),
        m_profile: cpu.m_profile,
        signs: cpu.is_64(),
        page_size: PAGE,
        origin,
        usable: hosted::usable(cpu.is_64(), cpu.m_profile, origin),
    }
}

/// A processor for this target, with no memory. Whoever runs it has some of its own from `origin` on.
pub fn processor(target: &'static Target, origin: u64) -> Result<Processor, NewError> {
    let cpu = Cpu::of(target).ok_or(NewError::Unsupported(target.name))?;
    Ok(Wired::new(Emulation::new(target)?, info(target, &cpu, origin)))
}

impl Unicorn {
    /// A machine for this target, with the standard host functions.
    pub fn new(target: &'static Target) -> Result<Unicorn, NewError> {
        Ok(Hosted::around(processor(target, 0)?))
    }

    /// The same for an executable that has its place: the machine's own memory is not where linkers put those. On an M profile it is
    /// where it always is.
    pub fn for_executable(target: &'static Target) -> Result<Unicorn, NewError> {
        let origin = if Unicorn::has_thumb_only(target) { 0 } else { aside(target) };
        Ok(Hosted::around(processor(target, origin)?))
    }

    /// Whether this target's processor has no A32 state.
    pub fn has_thumb_only(target: &Target) -> bool {
        Cpu::of(target).is_some_and(|cpu| cpu.m_profile)
    }

    /// The number of the emulator's process, if there is one now.
    pub fn process(&self) -> Option<u32> {
        self.engine().wire().process.as_ref().map(Process::id)
    }

    /// How often a process was started for it.
    pub fn starts(&self) -> usize {
        self.engine().wire().starts
    }

    /// Notes from now on whether the guest executes or reads any of these bytes, until [`Unicorn::unwatch`]. A reset
    /// changes nothing about it.
    pub fn watch(&mut self, bytes: RangeInclusive<u64>) {
        // A machine that is gone sees nothing.
        let _ = self.engine_mut().ask(|batch| batch.watch(Some(&bytes)));
    }

    /// Whether the guest has executed or read any of the watched bytes, which are watched no more.
    pub fn unwatch(&mut self) -> bool {
        let reply = self.engine_mut().ask(|batch| {
            batch.watched();
            batch.watch(None);
        });
        reply.is_some_and(|mut reply| reply.long().is_ok_and(|seen| seen != 0))
    }
}
