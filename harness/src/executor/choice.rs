//! Which executor a run uses, by the name that the user gives it.

use std::cell::RefCell;
use std::rc::Rc;

use linker::{TARGETS, Target};
use qemu::Board;
use qemu::board::BoardError;

use super::board::{self, Remote, Session};
use super::unicorn::Unicorn;

/// An executor to be had.
#[derive(Clone, Debug)]
pub enum Choice {
    /// The embedded emulator.
    Unicorn,
    /// A board.
    Board(Box<Board>),
}

impl Choice {
    /// The executor of this name.
    pub fn find(name: &str) -> Result<Choice, BoardError> {
        Ok(if name == "unicorn" { Choice::Unicorn } else { Choice::Board(Box::new(Board::find(name)?)) })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Choice::Unicorn => "unicorn",
            Choice::Board(board) => &board.name,
        }
    }

    /// The targets whose code it runs.
    pub fn targets(&self) -> Vec<&'static Target> {
        match self {
            Choice::Unicorn => TARGETS.iter().collect(),
            Choice::Board(board) => board::targets(board),
        }
    }

    /// A source of machines for one thread.
    pub fn source(&self) -> Source {
        match self {
            Choice::Unicorn => Source::Unicorn,
            Choice::Board(board) => Source::Board(Rc::new(RefCell::new(Session::new((**board).clone())))),
        }
    }
}

/// Where the machines of one thread come from: those of a board share it.
pub enum Source {
    /// The embedded emulator.
    Unicorn,
    /// A board.
    Board(Rc<RefCell<Session>>),
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
        match self {
            Source::Unicorn => {
                Unicorn::new(target).map(|m| Machine::Unicorn(Box::new(m))).map_err(|error| error.to_string())
            }
            Source::Board(session) => {
                Remote::new(session, target).map(|m| Machine::Board(Box::new(m))).map_err(|error| error.to_string())
            }
        }
    }
}
