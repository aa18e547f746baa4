//! Serving over a socket. Over TCP, a controller of LLVM 17 to 22 cannot end by itself.
//!
//! It closes its socket while a thread of its own still reads from it. The kernel then sends nothing, so we would wait for its
//! end and it for ours. What helps is to close our sending side once it is done: after the program has run and the last memory
//! was given back, or when nothing has come for a while. (LLVM 23 closes properly.)

use std::cell::Cell;
use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::place::Terms;
use super::server::serve_until;
use super::session::Session;
use crate::executor::Executor;
use crate::orc::error::ServeError;

/// How many times longer than after the program we wait before it: the controller may be busy linking.
const LINKING: u32 = 20;

/// How long a controller has to close after we did.
const CLOSING: Duration = Duration::from_secs(5);

/// How long a message that has begun may stand still, and how long an answer may wait to be read.
const STALLED: Duration = Duration::from_secs(30);

/// How long a message may take from its first byte to its last.
const MESSAGE: Duration = Duration::from_secs(600);

/// A connection whose other end may fall asleep in the midst of a message.
struct Wakeful<'s> {
    stream: &'s TcpStream,
    /// When the message that is being read has to be there.
    end: &'s Cell<Instant>,
}

impl Read for Wakeful<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let asleep = || std::io::Error::new(ErrorKind::TimedOut, "the rest of a message does not come");
        if Instant::now() > self.end.get() {
            return Err(asleep());
        }
        (&mut &*self.stream).read(into).map_err(|error| if is_late(&error) { asleep() } else { error })
    }
}

impl Write for Wakeful<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        (&mut &*self.stream).write(bytes).map_err(unread)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> std::io::Result<usize> {
        (&mut &*self.stream).write_vectored(parts).map_err(unread)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn is_late(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn unread(error: std::io::Error) -> std::io::Error {
    if is_late(&error) { std::io::Error::new(ErrorKind::TimedOut, "nobody reads the answer") } else { error }
}

/// Serves one controller. It is taken to be done when it has said nothing for `idle` after the program ran; without
/// `idle`, it has to end the connection itself.
pub fn serve<E: Executor>(
    executor: &mut E,
    terms: Terms,
    stream: &TcpStream,
    idle: Option<Duration>,
    report: &mut dyn FnMut(&str),
) -> Result<(), ServeError> {
    // Every message is waited for. A socket that is not one of TCP never waits for more, and has no such option.
    let _ = stream.set_nodelay(true);
    stream.set_write_timeout(Some(STALLED))?;
    let end = Cell::new(Instant::now());
    let connection = || Wakeful { stream, end: &end };
    serve_until(executor, terms, connection(), connection(), report, |session| match idle {
        Some(idle) if session.is_over() || !comes(stream, Some(patience(session, idle)))? => {
            stream.shutdown(Shutdown::Write)?;
            drain(stream)?;
            Ok(ControlFlow::Break(()))
        }
        idle => {
            if idle.is_none() {
                comes(stream, None)?;
            }
            // From the first byte of a message on, the rest has to follow.
            stream.set_read_timeout(Some(STALLED))?;
            end.set(Instant::now() + MESSAGE);
            Ok(ControlFlow::Continue(()))
        }
    })
}

impl<E: Executor> Session<'_, E> {
    /// The program has run, and all memory was given back.
    fn is_over(&self) -> bool {
        self.ran && self.reserved && self.reservations.is_empty()
    }
}

/// How long to wait for the next message.
fn patience<E: Executor>(session: &Session<'_, E>, idle: Duration) -> Duration {
    let given_back = session.reserved && session.reservations.is_empty();
    if session.ran || given_back { idle } else { idle.saturating_mul(LINKING) }
}

/// Whether anything comes in this time, if there is a limit: a message, or the end.
fn comes(stream: &TcpStream, time: Option<Duration>) -> std::io::Result<bool> {
    // A time-out of zero is refused.
    stream.set_read_timeout(time.map(|time| time.max(Duration::from_millis(1))))?;
    loop {
        match stream.peek(&mut [0]) {
            Ok(_) => return Ok(true),
            Err(error) if is_late(&error) => return Ok(false),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Reads what still comes, to let the controller close first.
fn drain(mut stream: &TcpStream) -> std::io::Result<()> {
    let end = Instant::now() + CLOSING;
    let mut rest = [0; 4096];
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut rest) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Gone, or out of time.
            Err(_) => return Ok(()),
        }
    }
    Ok(())
}
