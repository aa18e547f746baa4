//! An engine behind a wire: the processor is somewhere else, in a board's guest or in a process of its own.
//!
//! The other side does batches of operations: map, protect, write, run. Everything up to a run goes with it, so that a small case
//! is one message and one answer. The registers are here between two runs; memory is there.

mod attended;
pub(crate) mod batch;
mod registers;
mod seen;

use std::ops::RangeInclusive;
use std::time::Duration;

use linker::Target;

pub use self::batch::{Batch, Reply, Stopped};
pub use self::registers::{Registers, SIZE};
use self::seen::{BLOCK, Seen};
use super::attendant::{Attendant, Crew, Unattended};
use super::hosted::engine::{Access, Context as _, Ended, Engine};
use super::place::Ranges;
use super::traps::{Sight, Traps};
use super::{Budget, Fault, FaultKind, Limit, Lost, Register, Resume, Stop, TargetInfo};

/// How long anything that is not the program's own doing may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// At most so many bytes are written or read in one operation.
pub(crate) const PIECE: usize = 1 << 20;
/// Bytes of an operation about a region, at most.
const REGION: usize = 32;

/// Why there is no answer.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// The machine there is gone.
    Lost(Lost),
    /// It is there, but it cannot do what it was asked to.
    Refused(String),
}

/// The way to the other side.
pub trait Wire {
    /// The registers of a processor that is as new.
    fn registers(&self, target: &Target) -> Registers;
    /// How many bytes a batch may have.
    fn room(&mut self) -> Result<usize, Trouble>;
    /// Has a batch done, and returns what it gave. What is not done after `time` is given up.
    fn call(&mut self, batch: &Batch, time: Duration) -> Result<Reply, Trouble>;
    /// Bytes of memory for programs, in use or not.
    fn memory(&self) -> u64;
    /// How much the runs from here on may take together.
    fn allow(&mut self, budget: Budget);
    /// Takes the price of a host call from that; whether something is left.
    fn charge(&mut self) -> bool;
    /// How many instructions of that are left. Where they are not counted, what the time that went by is taken for is gone.
    fn unspent(&self) -> u64;
    /// What is used up when a run ends for lack of budget and the other side does not say.
    fn limit(&self) -> Limit {
        Limit::Time
    }
    /// Puts into a batch what the other side has to know before a run, and returns how long the run may take.
    fn before_run(&mut self, batch: &mut Batch) -> Duration;
    /// Takes what it says about a run.
    fn after_run(&mut self, reply: &mut Reply) -> Result<(), String>;
    /// What it answers makes no sense: the next reset has to begin with another machine.
    fn give_up(&mut self, why: &str);
    /// Whether the other side knows traps.
    fn has_traps(&self) -> bool {
        false
    }
    /// The machine is of no use to its program any more.
    fn reset(&mut self);
    /// Time so far that went by while others had the machine.
    fn waited(&self) -> Duration {
        Duration::ZERO
    }
}

/// The engine. It remembers what was read until the guest runs again.
pub struct Wired<W> {
    wire: W,
    info: TargetInfo,
    regions: Ranges<Access>,
    host: RangeInclusive<u64>,
    registers: Registers,
    batch: Batch,
    seen: Seen,
    /// What went wrong, until the next reset.
    trouble: Option<Trouble>,
    run_flags: u32,
    /// Who attends the runs.
    attendant: Option<Box<dyn Attendant>>,
    /// What the last run was stopped for, if that was a trap.
    sight: Option<Sight>,
}

impl<W: Wire> Wired<W> {
    /// An engine for a processor at the end of this wire.
    pub fn new(wire: W, info: TargetInfo) -> Wired<W> {
        let narrow = if info.target.register_bits == 64 { 0 } else { batch::flags::NARROW };
        let big = if info.target.big_endian { batch::flags::BIG_ENDIAN } else { 0 };
        let mut batch = Batch::default();
        batch.reset();
        Wired {
            registers: wire.registers(info.target),
            wire,
            info,
            regions: Ranges::default(),
            host: RangeInclusive::new(1, 0),
            batch,
            seen: Seen::default(),
            trouble: None,
            run_flags: narrow | big,
            attendant: None,
            sight: None,
        }
    }

    /// The way to the processor.
    pub fn wire(&self) -> &W {
        &self.wire
    }

    /// Sends what is to be done, with this at the end, and returns what that gave.
    pub(crate) fn ask(&mut self, operation: impl FnOnce(&mut Batch)) -> Option<Reply> {
        operation(&mut self.batch);
        self.send(PATIENCE).ok()
    }

    /// Sends what is to be done, and returns what it gave.
    fn send(&mut self, time: Duration) -> Result<Reply, Trouble> {
        if let Some(trouble) = &self.trouble {
            // Nobody will ever do it.
            self.batch.clear();
            return Err(trouble.clone());
        }
        let reply = self.wire.call(&self.batch, time);
        self.batch.clear();
        reply.inspect_err(|trouble| {
            // From here on there is nothing there that could be run.
            self.trouble = Some(trouble.clone());
        })
    }

    /// What came back is not an answer: the machine is not to be trusted any more.
    fn garbled(&mut self, why: String) -> Trouble {
        self.wire.give_up(&why);
        let trouble = Trouble::Lost(Lost { why, pc: None });
        self.trouble = Some(trouble.clone());
        trouble
    }

    /// Reads memory that is there. Returns the address if nothing comes back.
    fn fetch(&mut self, address: u64, into: &mut [u8]) -> Result<(), u64> {
        self.batch.read(address, into.len());
        let Ok(mut reply) = self.send(PATIENCE) else { return Err(address) };
        reply.bytes(into).map_err(|why| {
            self.garbled(why);
            address
        })
    }

    /// Runs what is in the batch, and then reads what was wanted of memory before.
    fn run_batch(&mut self, time: Duration) -> Result<Ended, Trouble> {
        let again = self.seen.take();
        again.iter().for_each(|&block| self.batch.read(block, BLOCK as usize));
        let reply = self.send(time)?;
        self.take_run(reply, again).map_err(|why| self.garbled(why))
    }

    fn take_run(&mut self, mut reply: Reply, again: Vec<u64>) -> Result<Ended, String> {
        let stopped = reply.stopped(&mut self.registers)?;
        let ended = self.judge(stopped, &mut reply)?;
        self.wire.after_run(&mut reply)?;
        for block in again {
            let mut bytes = [0; BLOCK as usize];
            reply.bytes(&mut bytes)?;
            self.seen.insert(block, bytes);
        }
        Ok(ended)
    }

    /// How many bytes go in one operation: an answer has a third of the room of a batch.
    fn piece(&mut self) -> usize {
        self.wire.room().map_or(PIECE, |room| (room / 3).saturating_sub(2 * SIZE).clamp(BLOCK as usize, PIECE))
    }

    /// Makes room for an operation of so many bytes.
    fn make_room(&mut self, bytes: usize) {
        if self.trouble.is_some() {
            self.batch.clear();
            return;
        }
        let room = match self.wire.room() {
            Ok(room) => room,
            Err(trouble) => {
                self.trouble = Some(trouble);
                return;
            }
        };
        if self.batch.bytes().len() + bytes + 2 * SIZE > room {
            // What fails is said by whoever asks next.
            let _ = self.send(PATIENCE);
        }
    }

    fn judge(&mut self, stopped: Stopped, reply: &mut Reply) -> Result<Ended, String> {
        let (pc, address) = (self.registers.pc(), stopped.address);
        let fault = |kind, address| Stop::Fault(Fault { kind, pc, address, host: None });
        Ok(Ended::Stop(match stopped.kind {
            batch::stopped::FETCH if self.host.contains(&pc) => return Ok(Ended::Host),
            batch::stopped::READ => fault(FaultKind::Read, Some(address)),
            batch::stopped::WRITE => fault(FaultKind::Write, Some(address)),
            batch::stopped::FETCH => fault(FaultKind::Fetch, Some(address)),
            batch::stopped::UNDEFINED => fault(FaultKind::Undefined, None),
            batch::stopped::BREAKPOINT => Stop::Breakpoint { pc },
            batch::stopped::UNALIGNED => fault(FaultKind::Unaligned, Some(address)),
            batch::stopped::UNALIGNED_SOMEWHERE => fault(FaultKind::Unaligned, None),
            batch::stopped::STATE => fault(FaultKind::State, None),
            batch::stopped::SYSTEM_CALL => Stop::Syscall,
            batch::stopped::STEPPED => Stop::Stepped,
            batch::stopped::OUT_OF_BUDGET => Stop::OutOfBudget(match stopped.detail {
                batch::stopped::INSTRUCTIONS => Limit::Instructions,
                batch::stopped::TIME => Limit::Time,
                _ => self.wire.limit(),
            }),
            batch::stopped::OUT_OF_MEMORY => Stop::OutOfBudget(Limit::Memory),
            batch::stopped::TRAP => {
                self.sight = Some(batch::sight(stopped)?);
                Stop::Stepped
            }
            batch::stopped::OTHER => {
                let mut text = vec![0; stopped.detail as usize];
                reply.bytes(&mut text)?;
                Stop::Refused(String::from_utf8_lossy(&text).into_owned())
            }
            kind => Stop::Refused(format!(
                "the processor stopped at {pc:#x} for reason {kind}, syndrome {:#x}, address {address:#x}",
                stopped.detail
            )),
        }))
    }
}

impl<W: Wire> Engine for Wired<W> {
    type Context = Registers;

    fn info(&self) -> &TargetInfo {
        &self.info
    }

    fn set_host(&mut self, host: RangeInclusive<u64>) {
        self.batch.gates(&host);
        self.host = host;
    }

    fn regions(&self) -> &Ranges<Access> {
        &self.regions
    }

    fn regions_mut(&mut self) -> &mut Ranges<Access> {
        &mut self.regions
    }

    fn memory(&self) -> u64 {
        self.wire.memory()
    }

    fn lost(&self) -> Option<&Lost> {
        match &self.trouble {
            Some(Trouble::Lost(lost)) => Some(lost),
            _ => None,
        }
    }

    fn protect(&mut self, pages: RangeInclusive<u64>, access: Access) {
        self.make_room(REGION);
        match self.regions.get_mut(*pages.start()) {
            // Reserved so far, of which the other side knows nothing.
            Some(old) if *old == Access::NONE => *old = access,
            Some(old) => {
                *old = access;
                return self.batch.protect(&pages, access);
            }
            None => self.regions.insert(pages.clone(), access),
        }
        self.seen.forget();
        self.batch.map(&pages, access);
    }

    fn split(&mut self, at: u64) {
        self.make_room(REGION);
        self.regions.split(at);
        self.batch.split(at);
    }

    fn unmap(&mut self, start: u64) -> Result<(), String> {
        self.make_room(REGION);
        let mapped = self.regions.at(start).is_some_and(|(_, access)| *access != Access::NONE);
        if let Some(last) = self.regions.remove(start).filter(|_| mapped) {
            self.seen.forget();
            self.batch.unmap(&(start..=last));
        }
        Ok(())
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), u64> {
        let (mut done, piece) = (0, self.piece());
        while done < bytes.len() {
            let at = self.wrap(address.wrapping_add(done as u64));
            let Some((range, _)) = self.regions.at(at).filter(|(_, access)| **access != Access::NONE) else {
                return Err(at);
            };
            let here = (range.end() - at).saturating_add(1).min((bytes.len() - done).min(piece) as u64) as usize;
            self.make_room(here);
            if self.trouble.is_some() {
                return Err(at);
            }
            self.batch.write(at, &bytes[done..done + here]);
            self.seen.write(at, &bytes[done..done + here]);
            done += here;
        }
        Ok(())
    }

    fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), u64> {
        let (mut done, piece) = (0, self.piece());
        while done < into.len() {
            let at = self.wrap(address.wrapping_add(done as u64));
            let Some((range, _)) = self.regions.at(at).filter(|(_, access)| **access != Access::NONE) else {
                return Err(at);
            };
            let left = (range.end() - at).saturating_add(1).min((into.len() - done).min(piece) as u64);
            let (block, offset) = (at & !(BLOCK - 1), at % BLOCK);
            let here = if left > BLOCK { left } else { left.min(BLOCK - offset) } as usize;
            let into = &mut into[done..done + here];
            if left > BLOCK {
                self.fetch(at, into)?;
            } else if let Some(known) = self.seen.block(block) {
                into.copy_from_slice(&known[offset as usize..][..here]);
            } else {
                let mut bytes = [0; BLOCK as usize];
                self.fetch(block, &mut bytes)?;
                into.copy_from_slice(&bytes[offset as usize..][..here]);
                self.seen.insert(block, bytes);
            }
            done += here;
        }
        Ok(())
    }

    fn get(&self, register: Register) -> u128 {
        self.registers.get(register)
    }

    fn set(&mut self, register: Register, value: u128) {
        self.registers.set(register, value);
    }

    fn set_pc(&mut self, pc: u64) {
        self.registers.set_pc(pc);
    }

    fn thumb(&self) -> bool {
        self.registers.thumb()
    }

    fn save(&self) -> Result<Registers, String> {
        Ok(self.registers.clone())
    }

    fn restore(&mut self, context: &Registers) -> Result<(), String> {
        self.registers = context.clone();
        Ok(())
    }

    fn forget_reservations(&mut self) {
        self.make_room(REGION);
        self.batch.renew();
    }

    fn waited(&self) -> Duration {
        self.wire.waited()
    }

    fn allow(&mut self, budget: Budget) {
        self.wire.allow(budget);
    }

    fn charge(&mut self) -> bool {
        self.wire.charge()
    }

    fn unspent(&self) -> u64 {
        self.wire.unspent()
    }

    fn run(&mut self, begin: u64, resume: Resume, crew: &mut dyn Crew) -> Ended {
        let Some(mut attendant) = self.attendant.take() else { return self.run_alone(begin, resume) };
        let ended = attendant.run(self, crew, begin, resume);
        self.attendant = Some(attendant);
        ended
    }

    fn attend(&mut self, attendant: Box<dyn Attendant>) -> Result<(), Unattended> {
        if !self.wire.has_traps() {
            return Err(Unattended);
        }
        self.attendant = Some(attendant);
        Ok(())
    }

    fn conclude(&mut self, stop: &Stop, crew: &mut dyn Crew) {
        if let Some(mut attendant) = self.attendant.take() {
            attendant.ended(self, crew, stop);
            self.attendant = Some(attendant);
        }
    }

    fn idle(&mut self, crew: &mut dyn Crew) -> Option<Ended> {
        let mut attendant = self.attendant.take()?;
        let ended = attendant.idle(self, crew);
        self.attendant = Some(attendant);
        ended
    }

    fn reset(&mut self) {
        self.wire.reset();
        self.regions.clear();
        self.registers = self.wire.registers(self.info.target);
        self.trouble = None;
        self.seen.forget();
        self.batch.reset();
        if !self.host.is_empty() {
            self.batch.gates(&self.host);
        }
        if self.attendant.take().is_some() {
            self.batch.traps(&Traps::default());
        }
    }
}

impl<W: Wire> Wired<W> {
    /// A run that nobody attends.
    fn run_alone(&mut self, begin: u64, resume: Resume) -> Ended {
        self.registers.set_pc(begin);
        let step = if resume == Resume::Step { batch::flags::STEP } else { 0 };
        let time = self.wire.before_run(&mut self.batch);
        self.batch.run(&self.registers, self.run_flags | step);
        match self.run_batch(time) {
            Ok(ended) => ended,
            Err(Trouble::Lost(lost)) => Ended::Stop(Stop::Lost(lost)),
            Err(Trouble::Refused(why)) => Ended::Stop(Stop::Refused(why)),
        }
    }
}
