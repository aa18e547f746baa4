//! Our own standard input: read beside everything else, and as a terminal left to the guest.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

use rustix::termios::{self, OptionalActions, Termios};
use signal_hook::consts::{SIGHUP, SIGTERM};

/// The key that leaves: Ctrl-], as in telnet.
pub(super) const LEAVE: u8 = 0x1d;

/// A terminal that passes everything on, until this is dropped.
pub(super) struct Raw {
    before: Termios,
    leave: Arc<AtomicBool>,
}

impl Raw {
    pub(super) fn new() -> io::Result<Raw> {
        let before = termios::tcgetattr(io::stdin())?;
        let leave = Arc::new(AtomicBool::new(false));
        // Whoever ends us wants the terminal back, too.
        for signal in [SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&leave))?;
        }
        let mut raw = before.clone();
        raw.make_raw();
        termios::tcsetattr(io::stdin(), OptionalActions::Drain, &raw)?;
        Ok(Raw { before, leave })
    }

    /// Whether a signal said so.
    pub(super) fn told_to_leave(&self) -> bool {
        self.leave.load(Ordering::Relaxed)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Flush, &self.before);
    }
}

/// Rows and columns.
pub(super) fn size() -> (u16, u16) {
    termios::tcgetwinsize(io::stdout()).map_or((24, 80), |size| (size.ws_row, size.ws_col))
}

/// Standard input.
pub(super) struct Input {
    pieces: Receiver<Vec<u8>>,
    waiting: Vec<u8>,
    over: bool,
}

impl Input {
    /// Starts to read it. The thread that does so ends with the program.
    pub(super) fn new() -> Input {
        let (sender, pieces) = sync_channel(1);
        std::thread::spawn(move || {
            let mut bytes = vec![0; 1 << 16];
            loop {
                match io::stdin().lock().read(&mut bytes) {
                    Ok(count) if count > 0 && sender.send(bytes[..count].to_vec()).is_ok() => {}
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    _ => return,
                }
            }
        });
        Input { pieces, waiting: Vec::new(), over: false }
    }

    /// Looks for more, if nothing is waiting. Returns whether there is something now, if only the end.
    pub(super) fn poll(&mut self) -> bool {
        if self.waiting.is_empty() && !self.over {
            match self.pieces.try_recv() {
                Ok(piece) => self.waiting = piece,
                Err(TryRecvError::Empty) => return false,
                Err(TryRecvError::Disconnected) => self.over = true,
            }
        }
        true
    }

    /// What was read and not yet taken.
    pub(super) fn waiting(&self) -> &[u8] {
        &self.waiting
    }

    /// Whether what is waiting is the last.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Takes so many bytes.
    pub(super) fn take(&mut self, count: usize) {
        self.waiting.drain(..count.min(self.waiting.len()));
    }

    /// Whether this byte is waiting.
    pub(super) fn holds(&self, byte: u8) -> bool {
        self.waiting.contains(&byte)
    }
}
