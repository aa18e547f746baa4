//! Which executor a run uses, and where its machines come from.

use std::cell::RefCell;
use std::rc::Rc;

use linker::{TARGETS, Target};
use qemu::{Board, System};

use super::board::{self, Failed, Remote, Session};
use super::unicorn::Unicorn;

/// An executor to be had.
#[derive(Clone, Debug)]
pub enum Choice {
    /// The embedded emulator.
    Unicorn,
    /// A board, and what boots on it.
    Board(Box<(Board, System)>),
}

impl Choice {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Choice::Unicorn => "unicorn",
            Choice::Board(board) => &board.0.name,
        }
    }

    /// The targets whose code it runs.
    pub fn targets(&self) -> Vec<&'static Target> {
        match self {
            Choice::Unicorn => TARGETS.iter().collect(),
            Choice::Board(board) => board::targets(&board.0, &board.1),
        }
    }

    /// A source of machines for one thread.
    pub fn source(&self) -> Source {
        match self {
            Choice::Unicorn => Source::Unicorn,
            Choice::Board(board) => {
                Source::Board(Rc::new(RefCell::new(Session::new(board.0.clone(), board.1.clone()))))
            }
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
    /// Starts what has to be started, so that it is known now whether it can be.
    pub fn start(&self) -> Result<(), Failed> {
        match self {
            Source::Unicorn => Ok(()),
            Source::Board(session) => session.borrow_mut().start(),
        }
    }

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
