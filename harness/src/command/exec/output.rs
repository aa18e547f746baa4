//! What a program prints, as it comes: whole, or an error.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use crate::executor::Executor;
use crate::exit;
use crate::host::{Sink, Stream};
use crate::messages;

/// Has what the program prints printed while it runs. What goes wrong with that is in the result.
pub(super) fn stream(machine: &mut impl Executor) -> Rc<RefCell<Option<io::Error>>> {
    let (sink, refused) = sink();
    machine.host_mut().set_sink(sink);
    refused
}

/// Prints what a program prints, and notes what goes wrong with that.
pub(super) fn sink() -> (Sink, Rc<RefCell<Option<io::Error>>>) {
    let refused = Rc::new(RefCell::new(None));
    let note = refused.clone();
    let sink: Sink = Box::new(move |stream, text| {
        let written = match stream {
            Stream::Out => io::stdout().write_all(text),
            // In the order in which it was printed, where both are one.
            Stream::Error => io::stdout().flush().and_then(|()| io::stderr().write_all(text)),
        };
        written.map_err(|error| {
            let kind = error.kind();
            note.replace(Some(error));
            kind.into()
        })
    });
    (sink, refused)
}

/// The status to end with if what the program printed did not get where it should.
pub(super) fn unwritten(refused: &RefCell<Option<io::Error>>) -> Option<u8> {
    // What was printed last may have no end of line.
    let flushed = io::stdout().flush();
    let error = refused.take().or(flushed.err())?;
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Some(exit::CLOSED_PIPE);
    }
    messages::error(&format!("what the program printed could not be written: {error}"));
    Some(exit::BAD_OUTPUT)
}
