//! Boards as executors: a processor in a QEMU machine, behind the agent that runs there.
//!
//! The agent does batches of operations (`executor/wire`); nothing there counts instructions, so a budget is one of time.

mod client;

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::time::{Duration, Instant};

use linker::Target;
use qemu::{Board, System};

pub(crate) use self::client::split;
pub use self::client::{Client, Failed};
use super::hosted::engine::PAGE;
use super::hosted::{self, Hosted};
use super::wire::{Batch, Registers, Reply, Trouble, Wire, Wired};
use super::{Abi, Budget, Limit, TargetInfo};

/// A machine around a board's processor.
pub type Remote = Hosted<Wired<Processor>>;

/// Instructions in a microsecond on a slow day: nothing counts them there, so a budget of them is one of time.
const PACE: u64 = 25;
/// However few instructions they are: the machine may be busy.
const LEAST: Duration = Duration::from_secs(1);

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

/// The way to a processor of a board. Any number of them share one board, each from its reset on.
pub struct Processor {
    client: Rc<RefCell<Client>>,
    number: u64,
    /// Bits of the agent that runs its code; 0 where one agent does all.
    width: u8,
    /// Bytes of memory for programs.
    memory: u64,
    deadline: Instant,
    /// What is used up at the deadline.
    limit: Limit,
    /// Instructions that there were when the clock was started, and when that was.
    allowed: (u64, Instant),
}

impl Remote {
    /// A machine for this target on a board.
    pub fn new(client: &Rc<RefCell<Client>>, target: &'static Target) -> Result<Remote, NoTarget> {
        let (processor, info) = Processor::new(client, target)?;
        Ok(Hosted::around(Wired::new(processor, info)))
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
    fn new(client: &Rc<RefCell<Client>>, target: &'static Target) -> Result<(Processor, TargetInfo), NoTarget> {
        let mut shared = client.borrow_mut();
        let board = shared.board();
        let offers = offers(board, shared.system());
        let runs = |offer: &&Offer| offer.targets.iter().any(|known| known.name == target.name);
        let Some(offer) = offers.iter().find(runs) else {
            let known = offers.iter().flat_map(|offer| &offer.targets).map(|target| target.name);
            let known = known.collect::<Vec<_>>().join(", ");
            return Err(NoTarget { board: board.name.clone(), target: target.name, known });
        };
        let (m_profile, origin) = (offer.fixed.is_some(), offer.fixed.unwrap_or(0));
        let own = hosted::usable(target.pointer_bits == 64, m_profile, origin);
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
        let (memory, width, number) = (offer.pool, offer.width, shared.enroll());
        drop(shared);
        let (deadline, limit) = (Instant::now(), Limit::Time);
        let allowed = (0, deadline);
        Ok((Processor { client: client.clone(), number, width, memory, deadline, limit, allowed }, info))
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

impl Wire for Processor {
    fn registers(&self, target: &Target) -> Registers {
        Registers::new(target)
    }

    fn room(&mut self) -> Result<usize, Trouble> {
        Ok(self.client.borrow_mut().room()?)
    }

    fn call(&mut self, batch: &Batch, time: Duration) -> Result<Reply, Trouble> {
        Ok(self.client.borrow_mut().call(self.number, self.width, batch, time)?)
    }

    fn memory(&self) -> u64 {
        self.memory
    }

    fn allow(&mut self, budget: Budget) {
        // Whoever has the board may take any time.
        self.client.borrow_mut().take();
        let paced = Duration::from_micros(budget.instructions / PACE).max(LEAST);
        self.limit = if paced < budget.time { Limit::Instructions } else { Limit::Time };
        let now = Instant::now();
        self.deadline = now + paced.min(budget.time);
        self.allowed = (budget.instructions, now);
    }

    fn charge(&mut self) -> bool {
        Instant::now() < self.deadline
    }

    fn unspent(&self) -> u64 {
        let (instructions, begun) = self.allowed;
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        instructions.saturating_sub(micros.saturating_mul(PACE))
    }

    fn limit(&self) -> Limit {
        self.limit
    }

    fn before_run(&mut self, _: &mut Batch) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
    }

    fn after_run(&mut self, _: &mut Reply) -> Result<(), String> {
        Ok(())
    }

    fn give_up(&mut self, why: &str) {
        self.client.borrow_mut().lose(why);
    }

    fn reset(&mut self) {
        self.client.borrow_mut().give_back();
    }

    fn waited(&self) -> Duration {
        self.client.borrow().waited()
    }
}
