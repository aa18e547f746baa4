//! The connection: who is let in, and what comes of a session.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::{Duration, Instant};

use gdbstub::common::Signal;
use gdbstub::conn::ConnectionExt;
use gdbstub::stub::run_blocking::{BlockingEventLoop, Event as Happened, WaitForStopReasonError};
use gdbstub::stub::{DisconnectReason, GdbStub, MultiThreadStopReason};
use gdbstub::target::ext::breakpoints::WatchKind;

use super::desk::{Event, Leave, Message, Report};
use super::monitor::Knows;
use super::registers::File;
use super::target::{Gone, Session};
use super::threads::tid;
use super::{Over, PATIENCE};
use crate::executor::traps::Watched;

/// How often is looked whether somebody calls, or wants the program to stand still.
const LOOK: Duration = Duration::from_millis(10);

/// What serves a debugger.
pub struct Server {
    socket: TcpListener,
    ask: Sender<Message>,
    reported: Receiver<Event>,
    interrupt: Arc<AtomicBool>,
    file: File,
}

impl Server {
    pub(super) fn new(
        socket: TcpListener,
        ask: Sender<Message>,
        reported: Receiver<Event>,
        interrupt: Arc<AtomicBool>,
        file: File,
    ) -> Server {
        Server { socket, ask, reported, interrupt, file }
    }

    /// Serves the first debugger that calls, until it leaves or the program is over. What becomes of the program is said to it.
    pub fn serve(self, known: &dyn Knows) {
        let ask = self.ask.clone();
        let interrupt = self.interrupt.clone();
        let leave = match self.accept() {
            Some(stream) => self.session(stream, known),
            None => Leave::Ended(format!("no debugger called within {} s", PATIENCE.as_secs())),
        };
        let _ = ask.send(Message::Leave(leave));
        // Where it runs it has to hear of that.
        interrupt.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// Waits for a debugger; none comes when the program is over before.
    fn accept(&self) -> Option<TcpStream> {
        self.socket.set_nonblocking(true).ok()?;
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            match self.socket.accept() {
                Ok((stream, _)) => return stream.set_nonblocking(false).ok().map(|()| stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return None,
            }
            if !matches!(self.reported.try_recv(), Err(TryRecvError::Empty)) {
                return None;
            }
            std::thread::sleep(LOOK);
        }
        None
    }

    fn session(self, stream: TcpStream, known: &dyn Knows) -> Leave {
        let Server { ask, reported, interrupt, file, .. } = self;
        let mut session = Session::new(ask, reported, interrupt, file, known);
        match GdbStub::new(stream).run_blocking::<Loop<'_>>(&mut session) {
            Ok(DisconnectReason::Disconnect) => Leave::Detached,
            Ok(DisconnectReason::Kill) => Leave::Ended("killed by the debugger".to_owned()),
            Ok(DisconnectReason::TargetExited(_) | DisconnectReason::TargetTerminated(_)) => Leave::Detached,
            Err(error) if error.is_connection_error() => {
                Leave::Ended("the connection of the debugger ended".to_owned())
            }
            Err(error) => Leave::Ended(format!("the debugger was not understood: {error}")),
        }
    }
}

struct Loop<'a>(std::marker::PhantomData<&'a Infallible>);

impl<'a> BlockingEventLoop for Loop<'a> {
    type Target = Session<'a>;
    type Connection = TcpStream;
    type StopReason = MultiThreadStopReason<u64>;

    fn wait_for_stop_reason(
        session: &mut Session<'a>,
        connection: &mut TcpStream,
    ) -> Result<Happened<Self::StopReason>, WaitForStopReasonError<Gone, std::io::Error>> {
        loop {
            match session.reported.recv_timeout(LOOK) {
                Ok(event) => return Ok(Happened::TargetStopped(reason(event))),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(WaitForStopReasonError::Target(Gone)),
            }
            let waits = connection.peek().map_err(WaitForStopReasonError::Connection)?;
            if waits.is_some() {
                let byte = ConnectionExt::read(connection).map_err(WaitForStopReasonError::Connection)?;
                return Ok(Happened::IncomingData(byte));
            }
        }
    }

    fn on_interrupt(session: &mut Session<'a>) -> Result<Option<Self::StopReason>, Gone> {
        session.interrupt();
        Ok(None)
    }
}

/// What gdb is told.
fn reason(event: Event) -> MultiThreadStopReason<u64> {
    match event {
        Event::Over(Over::Exited(status)) => MultiThreadStopReason::Exited(status),
        Event::Over(Over::Killed(signal)) => MultiThreadStopReason::Terminated(Signal(signal)),
        Event::Stopped(Report::Stepped, thread) => {
            MultiThreadStopReason::SignalWithThread { tid: tid(thread), signal: Signal::SIGTRAP }
        }
        Event::Stopped(Report::Breakpoint, thread) => MultiThreadStopReason::SwBreak(tid(thread)),
        Event::Stopped(Report::Signal(signal), thread) => {
            MultiThreadStopReason::SignalWithThread { tid: tid(thread), signal: Signal(signal) }
        }
        Event::Stopped(Report::Interrupted, thread) => {
            MultiThreadStopReason::SignalWithThread { tid: tid(thread), signal: Signal::SIGINT }
        }
        Event::Stopped(Report::Access { watched, address }, thread) => {
            let kind = match watched {
                Watched::Reads => WatchKind::Read,
                Watched::Writes => WatchKind::Write,
                Watched::Both => WatchKind::ReadWrite,
            };
            MultiThreadStopReason::Watch { tid: tid(thread), kind, addr: address }
        }
    }
}
