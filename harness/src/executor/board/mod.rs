//! Boards as executors: a processor in a QEMU machine, behind the agent that runs there.
//!
//! The agent does batches of operations: map, protect, write, run. Everything up to a run goes with it, so that a small case
//! is one message and one answer. The registers are here between two runs; memory is there.

mod batch;
mod registers;
mod seen;
mod session;

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::{Duration, Instant};

use linker::Target;
use qemu::{Board, System};

use self::batch::{Batch, Reply, flags};
pub use self::registers::Registers;
use self::seen::{BLOCK, Seen};
pub(crate) use self::session::split;
pub use self::session::{Failed, Session};
use super::place::Ranges;
use super::rig::engine::{Access, Ended, Engine, PAGE};
use super::rig::{self, Rig};
use super::{Abi, Budget, Fault, FaultKind, Register, Resume, Stop, TargetInfo};

/// A machine around a board's processor.
pub type Remote = Rig<Processor>;

/// Instructions in a microsecond on a slow day: nothing counts them there, so a budget of them is one of time.
const PACE: u64 = 25;
/// However few instructions they are: the machine may be busy.
const LEAST: Duration = Duration::from_secs(1);
/// How long anything that is not the program's own doing may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// At most so much is written or read in one operation.
const PIECE: usize = 1 << 20;

/// The board does not run this target's code.
#[derive(Debug, thiserror::Error)]
#[error("{board} does not run {target} code, expected one of {known}")]
pub struct NoTarget {
    /// The board.
    pub board: String,
    /// The target.
    pub target: &'static str,
    /// What it runs.
    pub known: String,
}

/// A processor of a board. Any number of them share one board, each from its reset on.
pub struct Processor {
    session: Rc<RefCell<Session>>,
    number: u64,
    /// Bits of the agent that runs its code; 0 where one agent does all.
    width: u8,
    info: TargetInfo,
    regions: Ranges<Access>,
    host: RangeInclusive<u64>,
    registers: Registers,
    batch: Batch,
    seen: Seen,
    /// Bytes of memory for programs, and how many were written to.
    memory: (u64, u64),
    /// What went wrong where it could not be said.
    trouble: Option<String>,
    deadline: Instant,
    run_flags: u32,
}

impl Remote {
    /// A machine for this target on a board.
    pub fn new(session: &Rc<RefCell<Session>>, target: &'static Target) -> Result<Remote, NoTarget> {
        Ok(Rig::around(Processor::new(session, target)?))
    }
}

/// Code of some targets, and where programs of it may be.
struct Offer {
    /// Bits of the agent that runs it; 0 where one agent does all.
    width: u8,
    targets: Vec<&'static Target>,
    usable: Vec<RangeInclusive<u64>>,
    /// Bytes of memory for programs.
    pool: u64,
    /// Where memory begins, if it has to be where it is: on an M profile.
    fixed: Option<u64>,
}

/// What a board offers with a system on it.
fn offers(board: &Board, system: &System) -> Vec<Offer> {
    let known = |names: &[String]| names.iter().filter_map(|name| Target::named(name)).collect();
    match system {
        System::Bare => {
            let bare = board.bare.iter();
            let offer = bare.map(|bare| {
                let memory = bare.m_profile.map(|m_profile| m_profile.memory);
                // Four levels of tables, or what there is.
                let mut usable = vec![memory.map_or(0..=(1 << 48) - 1, |(first, last)| first.into()..=last.into())];
                for &(first, last) in &bare.reserved {
                    usable = usable.into_iter().flat_map(|range| without(&range, first..=last)).collect();
                }
                let fixed = memory.map(|(first, _)| first.into());
                Offer { width: 0, targets: known(&bare.targets), usable, pool: bare.pool, fixed }
            });
            offer.collect()
        }
        System::Linux(_) => {
            let runs = board.linux.iter().flat_map(|linux| &linux.runs);
            let offer = runs.map(|runs| Offer {
                width: runs.width,
                targets: known(&runs.targets),
                usable: runs.usable.iter().map(|&(first, last)| first..=last).collect(),
                pool: runs.pool,
                fixed: None,
            });
            offer.collect()
        }
    }
}

/// The targets whose code a board runs with a system on it.
pub fn targets(board: &Board, system: &System) -> Vec<&'static Target> {
    offers(board, system).into_iter().flat_map(|offer| offer.targets).collect()
}

impl Processor {
    fn new(session: &Rc<RefCell<Session>>, target: &'static Target) -> Result<Processor, NoTarget> {
        let mut shared = session.borrow_mut();
        let board = shared.board();
        let offers = offers(board, shared.system());
        let runs = |offer: &&Offer| offer.targets.iter().any(|known| known.name == target.name);
        let Some(offer) = offers.iter().find(runs) else {
            let known = offers.iter().flat_map(|offer| &offer.targets).map(|target| target.name);
            let known = known.collect::<Vec<_>>().join(", ");
            return Err(NoTarget { board: board.name.clone(), target: target.name, known });
        };
        let is_64 = target.register_bits == 64;
        let (m_profile, origin) = (offer.fixed.is_some(), offer.fixed.unwrap_or(0));
        let own = rig::usable(target.pointer_bits == 64, m_profile, origin);
        let usable = own.iter().flat_map(|own| offer.usable.iter().filter_map(|range| both(own, range))).collect();
        let info = TargetInfo {
            target,
            cpu: board.cpu.clone().into(),
            abi: Abi::of(target),
            m_profile,
            signs: false,
            page_size: PAGE,
            origin,
            usable,
        };
        let narrow = if is_64 { 0 } else { flags::NARROW };
        let big = if target.big_endian { flags::BIG_ENDIAN } else { 0 };
        let (memory, width) = ((offer.pool, 0), offer.width);
        let number = shared.enroll();
        drop(shared);
        let mut processor = Processor {
            session: session.clone(),
            number,
            width,
            registers: Registers::new(target),
            info,
            regions: Ranges::default(),
            host: RangeInclusive::new(1, 0),
            batch: Batch::default(),
            seen: Seen::default(),
            memory,
            trouble: None,
            deadline: Instant::now(),
            run_flags: narrow | big,
        };
        processor.batch.reset();
        Ok(processor)
    }

    /// Sends what is to be done, and returns what it gave.
    fn send(&mut self, time: Duration) -> Result<Reply, String> {
        if let Some(trouble) = &self.trouble {
            return Err(trouble.clone());
        }
        let reply = self.session.borrow_mut().call(self.number, self.width, &self.batch, time);
        self.batch.clear();
        reply.map_err(|error| {
            let trouble = error.to_string();
            // From here on there is nothing in the board that could be run.
            self.trouble = Some(trouble.clone());
            trouble
        })
    }

    /// Reads memory that is there. Returns the address if nothing comes back.
    fn fetch(&mut self, address: u64, into: &mut [u8]) -> Result<(), u64> {
        self.batch.read(address, into.len());
        self.send(PATIENCE).and_then(|mut reply| reply.bytes(into)).map_err(|trouble| {
            self.trouble = Some(trouble);
            address
        })
    }

    /// Runs what is in the batch, and then reads what was wanted of memory before.
    fn run_batch(&mut self, time: Duration) -> Result<batch::Stopped, String> {
        let again = self.seen.take();
        again.iter().for_each(|&block| self.batch.read(block, BLOCK as usize));
        let mut reply = self.send(time)?;
        let stopped = reply.stopped(&mut self.registers)?;
        for block in again {
            let mut bytes = [0; BLOCK as usize];
            reply.bytes(&mut bytes)?;
            self.seen.insert(block, bytes);
        }
        Ok(stopped)
    }

    /// Makes room for an operation of so many bytes.
    fn make_room(&mut self, bytes: usize) {
        if self.trouble.is_some() {
            return;
        }
        let room = match self.session.borrow_mut().room() {
            Ok(room) => room,
            Err(error) => {
                self.trouble = Some(error.to_string());
                return;
            }
        };
        if self.batch.bytes().len() + bytes + 2 * registers::SIZE > room {
            // What fails is said by whoever asks next.
            let _ = self.send(PATIENCE);
        }
    }

    fn judge(&self, stopped: batch::Stopped) -> Ended {
        let (pc, address) = (self.registers.pc(), stopped.address);
        let fault = |kind, address| Stop::Fault(Fault { kind, pc, address, host: None });
        Ended::Stop(match stopped.kind {
            3 if self.host.contains(&pc) => return Ended::Host,
            1 => fault(FaultKind::Read, Some(address)),
            2 => fault(FaultKind::Write, Some(address)),
            3 => fault(FaultKind::Fetch, Some(address)),
            4 => fault(FaultKind::Undefined, None),
            5 => Stop::Breakpoint { pc },
            6 => fault(FaultKind::Unaligned, Some(address)),
            7 => fault(FaultKind::State, None),
            8 => Stop::Syscall,
            9 => Stop::Stepped,
            10 => Stop::OutOfBudget,
            11 => Stop::Lost("the program touched more memory than there is".to_owned()),
            kind => Stop::Lost(format!(
                "the processor stopped at {pc:#x} for reason {kind}, syndrome {:#x}, address {address:#x}",
                stopped.detail
            )),
        })
    }
}

/// What is in both ranges.
fn both(one: &RangeInclusive<u64>, other: &RangeInclusive<u64>) -> Option<RangeInclusive<u64>> {
    let range = *one.start().max(other.start())..=*one.end().min(other.end());
    (!range.is_empty()).then_some(range)
}

/// A range without what is in another.
fn without(range: &RangeInclusive<u64>, other: RangeInclusive<u64>) -> Vec<RangeInclusive<u64>> {
    let below = other.start().checked_sub(1).map(|last| *range.start()..=last.min(*range.end()));
    let above = other.end().checked_add(1).map(|first| first.max(*range.start())..=*range.end());
    [below, above].into_iter().flatten().filter(|range| !range.is_empty()).collect()
}

impl Engine for Processor {
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

    fn left(&self) -> u64 {
        self.memory.0.saturating_sub(self.memory.1)
    }

    fn protect(&mut self, pages: RangeInclusive<u64>, access: Access) {
        match self.regions.get_mut(*pages.start()) {
            // Reserved so far, of which the agent knows nothing.
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

    fn unmap(&mut self, start: u64) -> Result<(), String> {
        let mapped = self.regions.at(start).is_some_and(|(_, access)| *access != Access::NONE);
        if let Some(last) = self.regions.remove(start).filter(|_| mapped) {
            self.seen.forget();
            self.batch.unmap(&(start..=last));
        }
        Ok(())
    }

    fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), u64> {
        let mut done = 0;
        while done < bytes.len() {
            let at = self.wrap(address.wrapping_add(done as u64));
            let Some((range, _)) = self.regions.at(at).filter(|(_, access)| **access != Access::NONE) else {
                return Err(at);
            };
            let here = (range.end() - at).saturating_add(1).min((bytes.len() - done).min(PIECE) as u64) as usize;
            self.make_room(here);
            self.batch.write(at, &bytes[done..done + here]);
            self.seen.write(at, &bytes[done..done + here]);
            self.memory.1 += here as u64;
            done += here;
        }
        Ok(())
    }

    fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), u64> {
        let mut done = 0;
        while done < into.len() {
            let at = self.wrap(address.wrapping_add(done as u64));
            let Some((range, _)) = self.regions.at(at).filter(|(_, access)| **access != Access::NONE) else {
                return Err(at);
            };
            let left = (range.end() - at).saturating_add(1).min((into.len() - done).min(PIECE) as u64);
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

    fn waited(&self) -> Duration {
        self.session.borrow().waited()
    }

    fn allow(&mut self, budget: Budget) {
        // Whoever has the board may take any time.
        self.session.borrow_mut().take();
        let time = budget.time.min(Duration::from_micros(budget.instructions / PACE).max(LEAST));
        self.deadline = Instant::now() + time;
    }

    fn charge(&mut self) -> bool {
        Instant::now() < self.deadline
    }

    fn run(&mut self, begin: u64, resume: Resume) -> Ended {
        self.registers.set_pc(begin);
        let step = if resume == Resume::Step { flags::STEP } else { 0 };
        self.batch.run(&self.registers, self.run_flags | step);
        let time = self.deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        match self.run_batch(time) {
            Ok(stopped) => self.judge(stopped),
            Err(trouble) => Ended::Stop(Stop::Lost(trouble)),
        }
    }

    fn reset(&mut self) {
        self.session.borrow_mut().give_back();
        self.regions.clear();
        self.registers = Registers::new(self.info.target);
        self.memory.1 = 0;
        self.trouble = None;
        self.seen.forget();
        self.batch.reset();
        self.batch.gates(&self.host);
    }
}
