//! A running board as its executors share it: started when it is first needed, and again after it was lost. Over its link goes
//! SimpleRemoteEPC; this is the controller's side.
//!
//! Sessions of several threads may take turns at a board: one has it from its first message until it has no use for its program
//! any more, and the next one can link in the meantime.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use qemu::link::LinkError;
use qemu::{Board, Machine, Snapshot, System};

use crate::executor::Lost;
use crate::executor::wire::{Batch, Reply, Trouble};
use crate::orc::Setup;
use crate::orc::sps;
use crate::orc::wire::{HEADER, Header, Opcode};

/// How much longer than what it does the guest may take to answer, on a machine that has other things to do.
const GRACE: Duration = Duration::from_secs(5);
/// How long another agent may take to come up.
const CHANGE: Duration = Duration::from_secs(20);
/// How long an agent that was restored may take to answer for the first time.
const FIRST: Duration = Duration::from_secs(5);
/// The agent's function that does a batch of operations.
const BATCH: &str = "linkrig_batch";
/// The agent's function that makes it one of another width.
const BECOME: &str = "linkrig_become";

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The board cannot be started.
    #[error(transparent)]
    Start(#[from] qemu::Error),
    /// What runs in it is not our agent.
    #[error("the guest of {board} is not the agent: {why}")]
    Foreign {
        /// The board.
        board: String,
        /// What is wrong with it.
        why: String,
    },
    /// It does not do what it was asked to.
    #[error("{board}: {why}")]
    Refused {
        /// The board.
        board: String,
        /// What it said.
        why: String,
    },
    /// It is gone, and will be started again.
    #[error("{board} was lost and is started again: {why}")]
    Lost {
        /// The board.
        board: String,
        /// What happened.
        why: String,
    },
}

impl From<Failed> for Trouble {
    fn from(failed: Failed) -> Trouble {
        match failed {
            Failed::Refused { .. } => Trouble::Refused(failed.to_string()),
            _ => Trouble::Lost(Lost { why: failed.to_string(), pc: None }),
        }
    }
}

/// A board and the calls to it, for one thread.
#[derive(Debug)]
pub struct Client {
    shared: Arc<Shared>,
    /// Which of the board's clients this is.
    number: usize,
    /// Executors so far.
    executors: u64,
    /// How large a batch may be, once that is known.
    room: Option<usize>,
    /// Time that went by while others had the board.
    waited: Duration,
}

/// What all clients of a board know.
#[derive(Debug)]
struct Shared {
    board: Board,
    system: Arc<System>,
    turns: Mutex<Turns>,
    /// Nobody has it any more.
    free: Condvar,
}

#[derive(Debug, Default)]
struct Turns {
    snapshot: Option<Snapshot>,
    running: Option<Running>,
    /// How often the board was started.
    starts: usize,
    clients: usize,
    /// The client that has it now.
    holder: Option<usize>,
    /// Whose program is in it: client and executor.
    program: Option<(usize, u64)>,
}

#[derive(Debug)]
struct Running {
    machine: Machine,
    /// The number of the next call.
    next: u64,
    /// Bits of the agent that is there.
    width: u8,
    batch: u64,
    become_other: Option<u64>,
}

impl Turns {
    fn running(&mut self, shared: &Shared) -> Result<&mut Running, Failed> {
        if self.running.is_none() {
            self.running = Some(Running::start(&shared.board, &shared.system, self.snapshot.as_ref())?);
            self.starts += 1;
            self.program = None;
        }
        // Just made, if it was not there.
        self.running.as_mut().ok_or_else(|| lost(&shared.board, "it is not running".to_owned()))
    }

    /// Ends what does not behave.
    fn lose(&mut self, board: &Board, mut why: String) -> Failed {
        if let Some(mut running) = self.running.take()
            && let Some(status) = running.machine.ended()
        {
            why = format!("QEMU ended, {status}");
        }
        lost(board, why)
    }
}

impl Shared {
    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    /// A board that is not started yet.
    pub fn new(board: Board, system: Arc<System>) -> Client {
        let turns = Mutex::new(Turns { clients: 1, ..Turns::default() });
        Client::of(Arc::new(Shared { board, system, turns, free: Condvar::new() }), 1)
    }

    fn of(shared: Arc<Shared>, number: usize) -> Client {
        Client { shared, number, executors: 0, room: None, waited: Duration::ZERO }
    }

    /// Has it restored from there where that is possible.
    pub fn with_snapshot(self, snapshot: Option<Snapshot>) -> Client {
        self.shared.turns().snapshot = snapshot;
        self
    }

    /// Another client, for another thread, that takes turns with this one.
    pub fn beside(&self) -> Client {
        let mut turns = self.shared.turns();
        turns.clients += 1;
        Client::of(self.shared.clone(), turns.clients)
    }

    /// What boots on it.
    pub fn system(&self) -> &System {
        &self.shared.system
    }

    /// The board.
    pub fn board(&self) -> &Board {
        &self.shared.board
    }

    /// How often it was started.
    pub fn starts(&self) -> usize {
        self.shared.turns().starts
    }

    /// Starts it, if it is not running.
    pub fn start(&mut self) -> Result<(), Failed> {
        self.shared.turns().running(&self.shared).map(|_| ())
    }

    /// The number of a new executor.
    pub(super) fn enroll(&mut self) -> u64 {
        self.executors += 1;
        self.executors
    }

    /// Time so far that went by while others had the board.
    pub(super) fn waited(&self) -> Duration {
        self.waited
    }

    /// Waits for its turn, which lasts until the board is given back.
    pub(super) fn take(&mut self) {
        let start = Instant::now();
        let (number, mut turns) = (self.number, self.shared.turns());
        if turns.holder == Some(number) {
            return;
        }
        while turns.holder.is_some() {
            turns = self.shared.free.wait(turns).unwrap_or_else(PoisonError::into_inner);
        }
        turns.holder = Some(number);
        drop(turns);
        self.waited += start.elapsed();
    }

    /// Lets others have the board: whatever program is in it is of no use any more.
    pub(super) fn give_back(&mut self) {
        let mut turns = self.shared.turns();
        if turns.holder == Some(self.number) {
            turns.holder = None;
            self.shared.free.notify_one();
        }
    }

    /// How large a batch may be.
    pub(super) fn room(&mut self) -> Result<usize, Failed> {
        if let Some(room) = self.room {
            return Ok(room);
        }
        let room = self.shared.turns().running(&self.shared)?.machine.link().room().saturating_sub(HEADER);
        self.room = Some(room);
        Ok(room)
    }

    /// Ends a board that answers what makes no sense.
    pub(super) fn lose(&mut self, why: &str) {
        self.shared.turns().lose(&self.shared.board, why.to_owned());
    }

    /// Does a batch for an executor, in an agent of this width. What is not done after `time` is interrupted.
    pub(super) fn call(&mut self, caller: u64, width: u8, batch: &Batch, time: Duration) -> Result<Reply, Failed> {
        self.take();
        let (shared, caller) = (&self.shared, Some((self.number, caller)));
        let board = &shared.board;
        let mut turns = shared.turns();
        let running = turns.running(shared)?;
        if width != 0 && running.width != width {
            match running.change(width) {
                Ok(()) => turns.program = None,
                Err(why) => return Err(turns.lose(board, why)),
            }
        }
        // A program is in the board from its reset on, until the next one's.
        if batch.resets() {
            turns.program = caller;
        } else if turns.program != caller {
            return Err(lost(board, "the program in it is gone".to_owned()));
        }
        match turns.running(shared)?.call(batch.bytes(), time) {
            // The next reset puts that right.
            Ok(payload) => {
                Reply::read(payload, HEADER).map_err(|why| Failed::Refused { board: board.name.clone(), why })
            }
            Err(why) => Err(turns.lose(board, why)),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.give_back();
    }
}

fn lost(board: &Board, why: String) -> Failed {
    Failed::Lost { board: board.name.clone(), why }
}

/// A message's header and payload.
pub(crate) fn split(message: &[u8]) -> Result<(Header, &[u8]), String> {
    let (header, payload) = message.split_first_chunk::<HEADER>().ok_or("a message without a header")?;
    let header = Header::decode(header).map_err(|error| error.to_string())?;
    if header.payload != payload.len() as u64 {
        return Err(format!("a message of {} bytes that says it has {}", payload.len(), header.payload));
    }
    Ok((header, payload))
}

/// What an agent says about itself: its width, and where its functions are.
fn introduction(message: &[u8]) -> Result<(u8, u64, Option<u64>), String> {
    let (header, payload) = split(message)?;
    if header.opcode != Opcode::Setup {
        return Err(format!("its first message is {:?}, expected Setup", header.opcode));
    }
    let setup: Setup = sps::decode(payload).map_err(|error| error.to_string())?;
    let symbol = |wanted: &str| setup.symbols.iter().find(|(name, _)| name == wanted).map(|symbol| symbol.1);
    let width = if setup.triple.starts_with("aarch64-") { 64 } else { 32 };
    Ok((width, symbol(BATCH).ok_or_else(|| format!("it has no {BATCH}"))?, symbol(BECOME)))
}

/// Has an agent do nothing, and say so.
fn answers(machine: &mut Machine) -> Result<(), String> {
    let (_, batch, _) = introduction(machine.hello())?;
    // A number that no call will have.
    let header = Header { payload: 0, opcode: Opcode::CallWrapper, sequence: u64::MAX, tag: batch };
    let link = machine.link();
    link.send(&[&header.encode()]).map_err(|error| error.to_string())?;
    loop {
        let message = link.receive(FIRST).map_err(|error| error.to_string())?;
        match split(&message)?.0 {
            Header { opcode: Opcode::Result, sequence: u64::MAX, .. } => return Ok(()),
            // It was not sure to have been heard when it was saved.
            Header { opcode: Opcode::Setup, .. } => {}
            header => return Err(format!("it answered {:?} {} to its first call", header.opcode, header.sequence)),
        }
    }
}

impl Running {
    fn start(board: &Board, system: &System, snapshot: Option<&Snapshot>) -> Result<Running, Failed> {
        let machine = match (system, snapshot) {
            (System::Linux(linux), Some(snapshot)) => {
                let started = snapshot.start(board, linux, &mut answers)?;
                started.notes.iter().for_each(|note| crate::note!("note: {note}"));
                started.machine
            }
            _ => Machine::start(board, system)?,
        };
        let foreign = |why| Failed::Foreign { board: board.name.clone(), why };
        let (width, batch, become_other) = introduction(machine.hello()).map_err(foreign)?;
        Ok(Running { machine, next: 0, width, batch, become_other })
    }

    /// Has another agent take the place of this one.
    fn change(&mut self, width: u8) -> Result<(), String> {
        let other = self.become_other.ok_or("its agent cannot become another")?;
        // Its answer is the other one's introduction.
        let message =
            self.exchange(other, &u32::from(width).to_le_bytes(), CHANGE, &[Opcode::Setup, Opcode::Result])?;
        (self.width, self.batch, self.become_other) = introduction(&message)?;
        self.next = 0;
        if self.width != width { Err(format!("it did not become an agent of {width} bits")) } else { Ok(()) }
    }

    /// Has the agent do a batch and waits for the result, which comes with its header.
    fn call(&mut self, payload: &[u8], time: Duration) -> Result<Vec<u8>, String> {
        self.exchange(self.batch, payload, time, &[Opcode::Result])
    }

    fn exchange(
        &mut self,
        function: u64,
        payload: &[u8],
        time: Duration,
        wanted: &[Opcode],
    ) -> Result<Vec<u8>, String> {
        let sequence = self.next;
        self.next += 1;
        let header = Header { payload: payload.len() as u64, opcode: Opcode::CallWrapper, sequence, tag: function };
        let link = self.machine.link();
        link.send(&[&header.encode(), payload]).map_err(|error| error.to_string())?;
        loop {
            let message = match link.receive(time) {
                Err(LinkError::Silent(_)) => link.interrupt().and_then(|()| link.receive(GRACE)),
                received => received,
            };
            let message = message.map_err(|error| error.to_string())?;
            let (header, _) = split(&message)?;
            // An agent that was not sure to have been heard introduces itself again.
            if header.opcode == Opcode::Setup && !wanted.contains(&Opcode::Setup) {
                continue;
            }
            if !wanted.contains(&header.opcode) || (header.opcode == Opcode::Result && header.sequence != sequence) {
                return Err(format!("it answered {:?} {} to call {sequence}", header.opcode, header.sequence));
            }
            return Ok(message);
        }
    }
}
