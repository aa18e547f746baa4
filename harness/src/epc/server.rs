//! An executor of the protocol: answers a controller's calls on any machine.
//!
//! The controller knows functions of ours by addresses that nothing is at (`symbols` has the table): a call of one of them is a row
//! of a table, a call of anything else runs in the machine. Calls are served one by one, in the order they come.

use std::io::{Read, Write};
use std::ops::ControlFlow;

use super::place::Terms;
use super::session::{Session, address};
use super::symbols;
use crate::executor::Executor;
use crate::orc::Setup;
use crate::orc::error::ServeError;
use crate::orc::sps;
use crate::orc::wire::{Message, Opcode};

/// Serves one controller until it goes. What it left behind in the machine's memory is released; a machine that is to serve
/// another should be [reset](Executor::reset) first.
///
/// `report` is told what the controller cannot be: no error crosses the wire for a function whose result has no room for one.
pub fn serve<E: Executor>(
    executor: &mut E,
    terms: Terms,
    from: impl Read,
    to: impl Write,
    report: &mut dyn FnMut(&str),
) -> Result<(), ServeError> {
    serve_until(executor, terms, from, to, report, |_| Ok(ControlFlow::Continue(())))
}

/// The same; before a message is read, `between` may end it.
pub(super) fn serve_until<E: Executor>(
    executor: &mut E,
    terms: Terms,
    mut from: impl Read,
    mut to: impl Write,
    report: &mut dyn FnMut(&str),
    mut between: impl FnMut(&Session<'_, E>) -> std::io::Result<ControlFlow<()>>,
) -> Result<(), ServeError> {
    let mut session = Session::new(executor, terms, symbols::functions(), report);
    let served = session.setup().write(&mut to).map_err(ServeError::from).and_then(|()| {
        while between(&session)?.is_continue() {
            let Some(message) = Message::read(&mut from)? else { break };
            let Some(answer) = session.answer(&message)? else { break };
            answer.write(&mut to)?;
        }
        Ok(())
    });
    session.close();
    if let Err(error) = &served
        && error.is_news()
    {
        // All versions read this form: no number, no tag, and a serialized error.
        let payload = sps::encode(&sps::Error(Err(error.to_string())));
        let _ = Message { opcode: Opcode::Hangup, sequence: 0, tag: 0, payload }.write(&mut to);
    }
    served
}

/// Whether a controller that hangs up has a reason. Only those after LLVM 23 have to say whether there is one, so anything else
/// that comes along is no reason.
fn hung_up(payload: &[u8]) -> Result<(), ServeError> {
    match sps::decode(payload) {
        Ok(sps::Error(Err(why))) => Err(ServeError::HungUp(why)),
        _ => Ok(()),
    }
}

impl<'e, E: Executor> Session<'e, E> {
    /// The first message.
    fn setup(&self) -> Message {
        let info = self.executor.info();
        let symbol = |(row, (name, _)): (u64, &(&str, _))| ((*name).to_owned(), address(row));
        let setup = Setup {
            triple: corpus::target::row(info.target).clang.to_owned(),
            page_size: self.placer.page,
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
            Opcode::Hangup => hung_up(&message.payload).map(|()| None),
            opcode => Err(ServeError::Unexpected(opcode)),
        }
    }
}
