//! Serving over TCP, where a controller of LLVM 17 to 22 cannot end by itself.
//!
//! It closes its socket while a thread of its own still reads from it. The kernel then sends nothing, so we would wait for its
//! end and it for ours. What helps is to close our sending side once it is done: after the program has run and the last memory
//! was given back, or when nothing has come for a while. (LLVM 23 closes properly.)

use std::io::{ErrorKind, Read};
use std::net::{Shutdown, TcpStream};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::server::{ServeError, serve_until};
use super::session::Session;
use crate::executor::Executor;

/// How many times longer than after the program we wait before it: the controller may be busy linking.
const LINKING: u32 = 20;

/// How long a controller has to close after we did.
const CLOSING: Duration = Duration::from_secs(5);

/// Serves one controller. It is taken to be done when it has said nothing for `idle` after the program ran; without
/// `idle`, it has to end the connection itself.
pub fn serve<E: Executor>(
    executor: &mut E,
    stream: &TcpStream,
    idle: Option<Duration>,
    report: &mut dyn FnMut(&str),
) -> Result<(), ServeError> {
    // Every message is waited for.
    stream.set_nodelay(true)?;
    serve_until(executor, stream, stream, report, |session| match idle {
        Some(idle) if session.is_over() || !comes(stream, patience(session, idle))? => {
            stream.shutdown(Shutdown::Write)?;
            drain(stream)?;
            Ok(ControlFlow::Break(()))
        }
        _ => {
            stream.set_read_timeout(None)?;
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

/// Whether anything comes in this time: a message, or the end.
fn comes(stream: &TcpStream, time: Duration) -> std::io::Result<bool> {
    // A time-out of zero is refused.
    stream.set_read_timeout(Some(time.max(Duration::from_millis(1))))?;
    loop {
        match stream.peek(&mut [0]) {
            Ok(_) => return Ok(true),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(false),
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
