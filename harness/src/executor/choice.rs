//! The choice of an executor, and the source of its machines.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use linker::{TARGETS, Target};
use qemu::{Board, Snapshot, System};

use super::board::{self, Client, Failed, Remote};
use super::unicorn::{NewError, Unicorn};

/// Threads that take turns at a board: one links while the other's program runs.
const WORKERS: usize = 2;

/// An executor to be had.
#[derive(Debug)]
pub enum Choice {
    /// The embedded emulator.
    Unicorn,
    /// A board.
    Board(Box<Boards>),
}

/// Boards of one kind.
#[derive(Debug)]
pub struct Boards {
    board: Board,
    system: Arc<System>,
    /// From where they are restored when one of them has booted.
    snapshot: Option<Snapshot>,
    /// Those that were started and are not in use, and second turns at those that are.
    ready: Mutex<Vec<Client>>,
}

impl Boards {
    /// Boards with this on them.
    pub fn new(board: Board, system: System) -> Boards {
        Boards { board, system: Arc::new(system), snapshot: None, ready: Mutex::default() }
    }

    /// Has them restored from there where that is possible.
    pub fn with_snapshot(self, snapshot: Option<Snapshot>) -> Boards {
        Boards { snapshot, ..self }
    }

    fn ready(&self) -> MutexGuard<'_, Vec<Client>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A turn at a board. Every other one is at one that is there already.
    fn take(&self) -> Client {
        let mut ready = self.ready();
        ready.pop().unwrap_or_else(|| {
            let client = self.client();
            ready.extend((1..WORKERS).map(|_| client.beside()));
            client
        })
    }

    /// A board that nobody else has.
    fn client(&self) -> Client {
        Client::new(self.board.clone(), self.system.clone()).with_snapshot(self.snapshot.clone())
    }
}

impl Choice {
    /// The executor of this name that needs nothing else: `unicorn`, or a board with nothing but our agent on it.
    ///
    /// # Errors
    /// Says which names there are.
    pub fn named(name: &str) -> Result<Choice, String> {
        if name == "unicorn" {
            return Choice::emulator();
        }
        let board = Board::find(name).map_err(|error| format!("{error}; or unicorn"))?;
        if board.bare.is_none() {
            return Err(format!("there is no agent of ours for a bare {name}: it wants an image or a kernel"));
        }
        Ok(Choice::Board(Box::new(Boards::new(board, System::Bare))))
    }

    /// The embedded emulator.
    ///
    /// # Errors
    /// This build has none.
    pub fn emulator() -> Result<Choice, String> {
        if cfg!(feature = "unicorn") {
            return Ok(Choice::Unicorn);
        }
        let boards: Vec<String> = Choice::bare().map(|board| board.name).collect();
        let boards = boards.join(" or ");
        Err(format!("this build has no emulator, as its Cargo feature `unicorn` is off: --executor {boards}"))
    }

    /// The boards that need nothing but our agent.
    fn bare() -> impl Iterator<Item = Board> {
        qemu::board::names().filter_map(|name| Board::find(name).ok()).filter(|board| board.bare.is_some())
    }

    /// The executor that runs a target's code if nothing else is said: the emulator, or the first bare board that does.
    ///
    /// # Errors
    /// No board runs it, and there is no emulator in this build.
    pub fn for_target(target: &'static Target) -> Result<Choice, String> {
        Choice::emulator().or_else(|none| {
            let runs =
                |board: &Board| board::targets(board, &System::Bare).iter().any(|known| known.name == target.name);
            let board = Choice::bare().find(runs).ok_or(none)?;
            Ok(Choice::Board(Box::new(Boards::new(board, System::Bare))))
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Choice::Unicorn => "unicorn",
            Choice::Board(boards) => &boards.board.name,
        }
    }

    /// What it is, for people.
    pub fn description(&self) -> String {
        match self {
            Choice::Unicorn => "the embedded emulator".to_owned(),
            Choice::Board(boards) => match &*boards.system {
                System::Bare => boards.board.name.clone(),
                System::Linux(linux) => format!("{} with {}", boards.board.name, linux.origin),
            },
        }
    }

    /// The targets whose code it runs.
    pub fn targets(&self) -> Vec<&'static Target> {
        match self {
            Choice::Unicorn => TARGETS.iter().collect(),
            Choice::Board(boards) => board::targets(&boards.board, &boards.system),
        }
    }

    /// How many threads so many machines are for.
    pub fn threads(&self, machines: usize) -> usize {
        match self {
            Choice::Unicorn => machines,
            Choice::Board(_) => machines.saturating_mul(WORKERS),
        }
    }

    /// A source of machines for one thread.
    pub fn source(&self) -> Source {
        match self {
            Choice::Unicorn => Source::Unicorn,
            Choice::Board(boards) => Source::Board(Rc::new(RefCell::new(boards.take()))),
        }
    }

    /// A source of machines that takes turns with no other.
    pub fn own_source(&self) -> Source {
        let Choice::Board(boards) = self else { return Source::Unicorn };
        Source::Board(Rc::new(RefCell::new(boards.client())))
    }

    /// Starts the first machine, so that it is known now whether it can be.
    pub fn start(&self) -> Result<(), Failed> {
        let Choice::Board(boards) = self else { return Ok(()) };
        let mut client = boards.take();
        client.start()?;
        boards.ready().push(client);
        Ok(())
    }
}

/// Where the machines of one thread come from: those of a board share it.
pub enum Source {
    /// The embedded emulator.
    Unicorn,
    /// A board.
    Board(Rc<RefCell<Client>>),
}

/// A machine of either kind.
pub enum Machine {
    /// Embedded.
    Unicorn(Box<Unicorn>),
    /// On a board.
    Board(Box<Remote>),
}

/// Does the same with a machine, whichever it is.
#[macro_export]
macro_rules! with_machine {
    ($machine:expr, $name:ident => $body:expr) => {
        match $machine {
            $crate::executor::choice::Machine::Unicorn($name) => $body,
            $crate::executor::choice::Machine::Board($name) => $body,
        }
    };
}

impl Source {
    /// A machine for this target.
    pub fn machine(&self, target: &'static Target) -> Result<Machine, String> {
        self.make(target, Unicorn::new)
    }

    /// A machine for an executable of this target, which has its place already. A board has its own memory where it has it.
    pub fn machine_for_executable(&self, target: &'static Target) -> Result<Machine, String> {
        self.make(target, Unicorn::for_executable)
    }

    fn make(
        &self,
        target: &'static Target,
        emulator: fn(&'static Target) -> Result<Unicorn, NewError>,
    ) -> Result<Machine, String> {
        match self {
            Source::Unicorn => {
                emulator(target).map(|m| Machine::Unicorn(Box::new(m))).map_err(|error| error.to_string())
            }
            Source::Board(client) => {
                Remote::new(client, target).map(|m| Machine::Board(Box::new(m))).map_err(|error| error.to_string())
            }
        }
    }
}
