//! A program on the embedded emulator, served to gdb.
//!
//! The protocol is spoken by a thread of its own ([`Server`]), to which the link is lent: it answers `monitor` commands. The program
//! runs where it always does, with a [`Desk`] as its attendant, which carries out what the other thread asks for while the program
//! stands still. Host functions and system calls are served as without a debugger; a step over one is one step.
//!
//! Breakpoints change nothing in the program's memory. What the emulator cannot stop for is in `executor/unicorn/traps`.

mod desk;
mod monitor;
mod registers;
mod server;
mod target;
mod threads;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

pub use self::desk::Desk;
use self::desk::Event;
pub use self::monitor::{Foreign, Knows};
use self::registers::File;
pub use self::server::Server;
use crate::executor::TargetInfo;
use crate::machine::{FaultKind, Stop};

/// How long a program waits for a debugger.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A port that is listened at.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    port: u16,
}

impl Listener {
    /// Listens on the loopback device, at a free port for 0.
    ///
    /// # Errors
    /// Somebody else has the port.
    pub fn at(port: u16) -> io::Result<Listener> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let port = socket.local_addr()?.port();
        Ok(Listener { socket, port })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A session that has not begun: what serves the debugger, what attends the program, and what is told of its end. `linux` is
    /// whether the program is one for Linux.
    pub fn session(self, info: &TargetInfo, linux: bool) -> (Server, Desk, Bell) {
        let (ask, asked) = channel();
        let (report, reported) = channel();
        let interrupt = Arc::new(AtomicBool::new(false));
        let desk = Desk::new(asked, report.clone(), interrupt.clone(), linux);
        let server = Server::new(self.socket, ask, reported, interrupt, File::of(info, linux));
        (server, desk, Bell { report })
    }
}

/// What is told of the end of a program.
pub struct Bell {
    report: Sender<Event>,
}

/// How a program ended, as a debugger shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// With a status.
    Exited(u8),
    /// By a signal, by gdb's number.
    Killed(u8),
}

impl Bell {
    /// Tells the debugger, if there is one.
    pub fn ring(self, over: Over) {
        let _ = self.report.send(Event::Over(over));
    }
}

/// gdb's numbers of signals (include/gdb/signals.def).
pub mod signal {
    /// An undefined instruction.
    pub const ILL: u8 = 4;
    /// A breakpoint of the program's own.
    pub const TRAP: u8 = 5;
    /// The program ended itself for a reason.
    pub const ABRT: u8 = 6;
    /// An unaligned access.
    pub const BUS: u8 = 10;
    /// An access that is not allowed.
    pub const SEGV: u8 = 11;
    /// Instructions, time or what else there was is used up.
    pub const XCPU: u8 = 24;

    /// The number of a signal of Linux, where gdb has another.
    pub fn of_linux(signal: u32) -> u8 {
        match signal {
            7 => BUS,
            10 => 30,
            12 => 31,
            17 => 20,
            18 => 19,
            19 => 17,
            20 => 18,
            23 => 16,
            29 => 23,
            30 => 32,
            31 => 12,
            // Those of real time.
            32 => 77,
            33..=63 => signal as u8 + 12,
            64 => 78,
            other => other as u8,
        }
    }
}

/// The signal that a system would make of a stop.
pub fn signal_of(stop: &Stop) -> Option<u8> {
    if let Stop::Exited(crate::machine::Exit::Abort(_)) = stop {
        return Some(signal::ABRT);
    }
    if let Stop::OutOfBudget(_) = stop {
        return Some(signal::XCPU);
    }
    Some(match stop.fault()?.kind {
        FaultKind::Read | FaultKind::Write | FaultKind::Fetch | FaultKind::Stack => signal::SEGV,
        FaultKind::Undefined | FaultKind::State => signal::ILL,
        FaultKind::Breakpoint => signal::TRAP,
        FaultKind::Unaligned => signal::BUS,
    })
}
