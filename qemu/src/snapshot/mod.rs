//! Snapshots: a Linux boots once, is saved when its agent is ready, and is restored from then on.
//!
//! What is saved is kept under a hash of everything that boots (`key`), in one `file` of the user's cache directory
//! (`store`). Nothing there is trusted: a restored machine counts when it has answered, and otherwise the snapshot
//! goes and the machine boots. Without a place for snapshots everything works, slower.

mod file;
mod key;
mod store;

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

pub use self::store::{LIMIT, user_directory};

use self::file::Head;
use self::key::Key;
use self::store::Store;
use crate::board::Board;
use crate::machine::{self, Error, Machine, Saved};
use crate::system::Linux;

/// The snapshot of one board with one Linux: there already, or to be made. Clones share what is known about it.
#[derive(Clone, Debug)]
pub struct Snapshot {
    store: Store,
    known: Arc<Known>,
}

#[derive(Debug, Default)]
struct Known {
    key: OnceLock<Key>,
    /// It could not be kept, which is not to be tried and said again.
    given_up: AtomicBool,
}

/// A machine that runs.
#[derive(Debug)]
pub struct Started {
    /// The machine.
    pub machine: Machine,
    /// It was restored, rather than booted.
    pub restored: bool,
    /// What the user may want to know.
    pub notes: Vec<String>,
}

/// Asks a machine something that it has to answer if it is all right.
pub type Check<'a> = dyn FnMut(&mut Machine) -> Result<(), String> + 'a;

impl Snapshot {
    /// A snapshot in this directory, in which all have at most so many bytes together.
    pub fn new(directory: PathBuf, limit: u64) -> Snapshot {
        Snapshot { store: Store::new(directory, limit), known: Arc::default() }
    }

    /// Restores the machine, or boots it and saves it.
    pub fn start(&self, board: &Board, linux: &Linux, check: &mut Check<'_>) -> Result<Started, Error> {
        let mut notes = Vec::new();
        // QEMU forgets how the card is wired.
        if linux.card.is_some() {
            return Ok(Started { machine: Machine::boot(board, linux)?, restored: false, notes });
        }
        let key = self.key(board, linux)?;
        if let Some(machine) = self.restore(key, board, check, &mut notes) {
            return Ok(Started { machine, restored: true, notes });
        }
        // Whoever comes second waits for the first, and has it in a moment then.
        let lock = self.store.lock(key);
        if lock.is_ok()
            && let Some(machine) = self.restore(key, board, check, &mut notes)
        {
            return Ok(Started { machine, restored: true, notes });
        }
        let lock = match lock {
            // The others need not wait for each other to fail, too. If the first has just died, the next one makes it.
            Ok(lock) => Some(lock).filter(|lock| !lock.in_vain),
            Err(error) => {
                self.give_up(&error, &mut notes);
                None
            }
        };
        let mut machine = Machine::boot(board, linux)?;
        if let Some(lock) = lock.filter(|_| !self.known.given_up.load(Ordering::Relaxed)) {
            match machine.save(&mut |saved, memory| self.keep(key, saved, memory)) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    lock.give_up();
                    self.give_up(&error, &mut notes);
                }
                Err(error) => {
                    lock.give_up();
                    self.give_up(&error, &mut notes);
                    machine = Machine::boot(board, linux)?;
                }
            }
        }
        Ok(Started { machine, restored: false, notes })
    }

    fn key(&self, board: &Board, linux: &Linux) -> Result<&Key, Error> {
        if let Some(key) = self.known.key.get() {
            return Ok(key);
        }
        let program = machine::program(board)?;
        let key = Key::of(&program, board, linux).map_err(|cause| Error::Io { board: board.name.clone(), cause })?;
        Ok(self.known.key.get_or_init(|| key))
    }

    fn give_up(&self, why: &dyn std::fmt::Display, notes: &mut Vec<String>) {
        if !self.known.given_up.swap(true, Ordering::Relaxed) {
            notes.push(format!("no snapshot is kept, so the board boots each time: {why}"));
        }
    }

    /// The machine as it was saved, if it was. A snapshot that cannot be used is removed.
    fn restore(&self, key: &Key, board: &Board, check: &mut Check<'_>, notes: &mut Vec<String>) -> Option<Machine> {
        let mut file = self.store.open(key)?;
        let mut restored = || {
            let head = Head::read(&mut file).map_err(|error| error.to_string())?;
            if head.key != key.0 {
                return Err("it is another board's".to_owned());
            }
            let saved = head.saved.clone();
            let mut fill = |memory: Option<&_>| head.read_memory(&mut file, memory);
            let restored = Machine::restore(board, saved, &mut fill);
            let mut machine = restored.map_err(|error| error.to_string())?;
            check(&mut machine).map(|()| machine)
        };
        match restored() {
            Ok(machine) => Some(machine),
            Err(why) => {
                self.store.remove(key);
                let why = why.lines().collect::<Vec<_>>().join("; ");
                notes.push(format!("the snapshot of {} cannot be used and is made anew: {why}", board.name));
                None
            }
        }
    }

    fn keep(&self, key: &Key, saved: Saved, memory: Option<&File>) -> io::Result<()> {
        let runs = memory.map(file::runs).transpose()?.unwrap_or_default();
        let head = Head { key: key.0.clone(), saved, runs };
        self.store.save(key, |into| head.write(memory, into))
    }
}
