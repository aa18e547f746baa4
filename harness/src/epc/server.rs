//! An executor of the protocol: answers a controller's calls on any machine.
//!
//! The controller knows functions of ours by addresses that nothing is at (`symbols` has the table): a call of one of them is a row
//! of a table, a call of anything else runs in the machine. Calls are served one by one, in the order they come.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::ops::ControlFlow;

use super::memory::Reservation;
use super::orc::Setup;
use super::sps::{self, Decode, Encode};
use super::symbols::{self, Function};
use super::wire::{Message, Opcode, WireError};
use crate::executor::Executor;

/// Why a session came to a bad end.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A message could not be read or written.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A message that a controller has no reason to send.
    #[error("the controller sent a message of kind {0:?}, expected CallWrapper or Hangup")]
    Unexpected(Opcode),
}

impl From<std::io::Error> for ServeError {
    fn from(error: std::io::Error) -> ServeError {
        ServeError::Wire(error.into())
    }
}

/// Serves one controller until it goes. What it left behind in the machine's memory is released; a machine that is to serve
/// another should be [reset](Executor::reset) first.
///
/// `report` is told what the controller cannot be: no error crosses the wire for a function whose result has no room for one.
pub fn serve<E: Executor>(
    executor: &mut E,
    from: impl Read,
    to: impl Write,
    report: &mut dyn FnMut(&str),
) -> Result<(), ServeError> {
    serve_until(executor, from, to, report, |_| Ok(ControlFlow::Continue(())))
}

/// The same; before a message is read, `between` may end it.
pub(super) fn serve_until<E: Executor>(
    executor: &mut E,
    mut from: impl Read,
    mut to: impl Write,
    report: &mut dyn FnMut(&str),
    mut between: impl FnMut(&Session<'_, E>) -> std::io::Result<ControlFlow<()>>,
) -> Result<(), ServeError> {
    let mut session = Session::new(executor, report);
    let served = session.setup().write(&mut to).map_err(ServeError::from).and_then(|()| {
        while between(&session)?.is_continue() {
            let Some(message) = Message::read(&mut from)? else { break };
            let Some(answer) = session.answer(&message)? else { break };
            answer.write(&mut to)?;
        }
        Ok(())
    });
    session.close();
    served
}

/// What there is between one controller and the machine.
pub(super) struct Session<'e, E: Executor> {
    pub(super) executor: &'e mut E,
    /// Told what the controller cannot be.
    pub(super) report: &'e mut dyn FnMut(&str),
    /// Our functions and objects, in the order of their addresses.
    pub(super) functions: Vec<(&'static str, Option<Function<E>>)>,
    /// What the controller has reserved, by base.
    pub(super) reservations: BTreeMap<u64, Reservation<E::Finalized>>,
    /// Whether anything was ever reserved.
    pub(super) reserved: bool,
    /// Whether an action is being called.
    pub(super) acting: bool,
    /// Whether a program has run.
    pub(super) ran: bool,
}

impl<'e, E: Executor> Session<'e, E> {
    fn new(executor: &'e mut E, report: &'e mut dyn FnMut(&str)) -> Session<'e, E> {
        let functions = symbols::functions();
        Session {
            executor,
            report,
            functions,
            reservations: BTreeMap::new(),
            reserved: false,
            acting: false,
            ran: false,
        }
    }

    /// The first message.
    fn setup(&self) -> Message {
        let info = self.executor.info();
        let symbol = |(row, (name, _)): (u64, &(&str, _))| ((*name).to_owned(), symbols::address(row));
        let setup = Setup {
            triple: corpus::target::row(info.target).clang.to_owned(),
            page_size: self.executor.page_size(),
            map: Vec::new(),
            symbols: (0..).zip(&self.functions).map(symbol).collect(),
        };
        Message { opcode: Opcode::Setup, sequence: 0, tag: 0, payload: sps::encode(&setup) }
    }

    /// Answers a message; none is needed when it ends the session.
    fn answer(&mut self, message: &Message) -> Result<Option<Message>, ServeError> {
        match message.opcode {
            Opcode::CallWrapper => {
                let result = self.invoke(message.tag, &message.payload).unwrap_or_else(|why| {
                    (self.report)(&why);
                    // An empty result is what LLVM's own executor sends, too.
                    Vec::new()
                });
                Ok(Some(Message::result(message.sequence, result)))
            }
            Opcode::Hangup => Ok(None),
            opcode => Err(ServeError::Unexpected(opcode)),
        }
    }

    /// Calls a wrapper function: one of ours, or one in the machine.
    pub(super) fn invoke(&mut self, function: u64, arguments: &[u8]) -> Result<Vec<u8>, String> {
        match symbols::row(function).and_then(|row| self.functions.get(row).copied()) {
            Some((name, Some(function))) => function(self, arguments).map_err(|why| format!("{name}: {why}")),
            Some((name, None)) => Err(format!("{name} was called, which is no function")),
            None => self.call_wrapper(function, arguments),
        }
    }

    /// Opens a library. There is one, which has the host's functions.
    pub(super) fn open(&self, path: &[u8], mode: u64) -> Result<u64, String> {
        match (path, mode) {
            ([], 0) => Ok(symbols::PROCESS),
            ([], mode) => Err(format!("open: mode is {mode:#x}, expected 0")),
            (path, _) => Err(format!("open: {}: this machine has no files", String::from_utf8_lossy(path))),
        }
    }

    /// Addresses of names; 0 for those that are not there.
    pub(super) fn look_up(&self, handle: u64, names: &[(&[u8], bool)]) -> Result<Vec<u64>, String> {
        if handle != symbols::PROCESS {
            return Err(format!("lookup: {handle:#x} is not the handle of a library"));
        }
        let find = |name: &[u8]| {
            let name = str::from_utf8(name).ok()?;
            self.executor.host().lookup(name).or_else(|| self.exported(name))
        };
        Ok(names.iter().map(|(name, _)| find(name).unwrap_or(0)).collect())
    }

    /// Functions of ours that a real executor exports to its dynamic linker.
    fn exported(&self, name: &str) -> Option<u64> {
        let row = self.functions.iter().position(|(known, _)| *known == name && known.starts_with("llvm_orc_"))?;
        Some(symbols::address(row as u64))
    }
}

/// A function whose result can be an error: bad arguments and failures travel in it.
pub(super) fn expected<'a, A: Decode<'a>, T: Encode>(
    arguments: &'a [u8],
    function: impl FnOnce(A) -> Result<T, String>,
) -> Result<Vec<u8>, String> {
    Ok(sps::encode(&sps::Expected(apply(arguments, function))))
}

/// The same, when there is nothing but success.
pub(super) fn fallible<'a, A: Decode<'a>>(
    arguments: &'a [u8],
    function: impl FnOnce(A) -> Result<(), String>,
) -> Result<Vec<u8>, String> {
    Ok(sps::encode(&sps::Error(apply(arguments, function))))
}

/// A function whose result cannot be an error.
pub(super) fn plain<'a, A: Decode<'a>, T: Encode>(
    arguments: &'a [u8],
    function: impl FnOnce(A) -> Result<T, String>,
) -> Result<Vec<u8>, String> {
    apply(arguments, function).map(|value| sps::encode(&value))
}

/// Calls a function with what its arguments say.
fn apply<'a, A: Decode<'a>, T>(
    arguments: &'a [u8],
    function: impl FnOnce(A) -> Result<T, String>,
) -> Result<T, String> {
    sps::decode(arguments).map_err(|error| format!("bad arguments: {error}")).and_then(function)
}
