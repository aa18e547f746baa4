//! The link to an agent: whole messages over a serial port, with the bulk in memory that host and guest both see.
//!
//! Shared: a page of control words, then the guest's inbox (three quarters of the rest) and its outbox. A message is put into the box,
//! its size and a new number into the control page. Whoever waits looks at the number for a while; before it goes to sleep it
//! says so, and then it is woken by one byte through the port. A byte without a new number is noise, and a lost byte is made up
//! for by looking now and then.
//!
//! Stream, where the guest has no such memory: a frame is a mark, the size, a checksum and the message. What is not a frame is
//! noise. The agent decides which of the two it is, by its first message.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The byte that says there is a message.
const RING: u8 = 0x07;
/// The byte that interrupts what the guest runs.
const BREAK: u8 = 0x03;
/// The start of a frame.
const MARK: [u8; 4] = [0xa5, b'L', b'R', 0x5a];
/// A frame may be this long: what the agent's outbox holds.
const LONGEST: usize = 64 << 20;
/// How often the control page is looked at without having been told to.
const LOOK: Duration = Duration::from_millis(20);
const CONTROL_SIZE: u64 = 0x1000;
/// Offsets in the control page (`struct control` in agent/link.c).
const TO_GUEST: u64 = 4;
const TO_HOST: u64 = 16;
const HOST_ASLEEP: u64 = 20;
const GUEST_ASLEEP: u64 = 32;
const LOOKS: u64 = 36;

/// How long the number is looked at before sleeping: by the host, and how often by the guest. To be woken takes a guest an
/// interrupt and a driver, so it should be longer than a small case takes on any board; if more of these wait than there are
/// processors for, they only keep each other from working.
const PATIENT: (Duration, u32) = (Duration::from_millis(3), 500_000);
const CROWDED: (Duration, u32) = (Duration::from_micros(300), 50_000);

/// Links of this process. A guest and its host each want a processor.
static LINKS: AtomicUsize = AtomicUsize::new(0);

fn patience() -> (Duration, u32) {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    let processors = *PROCESSORS.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from));
    if 2 * LINKS.load(Ordering::Relaxed) > processors { CROWDED } else { PATIENT }
}

/// What went wrong with a link.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The guest did not answer in time.
    #[error("the guest did not answer within {0:?}")]
    Silent(Duration),
    /// QEMU closed the connection.
    #[error("the connection to the guest was closed")]
    Closed,
    /// The message is larger than the inbox.
    #[error("a message of {0} bytes is too large for this guest's inbox of {1}")]
    TooLarge(usize, usize),
    /// The system refused.
    #[error("the connection to the guest failed: {0}")]
    Io(#[from] std::io::Error),
}

/// Memory that host and guest both see: a part of a file.
#[derive(Debug)]
pub struct SharedArea {
    /// The file behind the guest's memory.
    pub file: File,
    /// Where in it the area begins.
    pub base: u64,
    /// Bytes of it.
    pub size: u64,
}

#[derive(Debug)]
enum Mode {
    /// The agent has not said anything yet.
    Unknown,
    Shared,
    Stream,
}

/// A link.
#[derive(Debug)]
pub struct Link {
    port: UnixStream,
    shared: Option<SharedArea>,
    mode: Mode,
    sent: u32,
    seen: u32,
    /// Bytes of the port that are not yet understood.
    pending: Vec<u8>,
    /// How often the guest was told to look.
    looks: u32,
}

impl Drop for Link {
    fn drop(&mut self) {
        LINKS.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Link {
    /// A link over this port, with this memory if there is any.
    pub fn new(port: UnixStream, shared: Option<SharedArea>) -> Link {
        LINKS.fetch_add(1, Ordering::Relaxed);
        Link { port, shared, mode: Mode::Unknown, sent: 0, seen: 0, pending: Vec::new(), looks: 0 }
    }

    /// A link to an agent that goes on where it was saved, and may be asleep.
    pub(crate) fn resume(port: UnixStream, shared: Option<SharedArea>, stream: bool) -> Result<Link, LinkError> {
        let mut link = Link::new(port, shared);
        link.mode = if stream { Mode::Stream } else { Mode::Shared };
        if let (Mode::Shared, Some(shared)) = (&link.mode, &link.shared) {
            let mut word = [0; 4];
            shared.file.read_exact_at(&mut word, shared.base + TO_GUEST)?;
            link.sent = u32::from_le_bytes(word);
            shared.file.read_exact_at(&mut word, shared.base + TO_HOST)?;
            link.seen = u32::from_le_bytes(word);
            link.port.write_all(&[RING])?;
        }
        Ok(link)
    }

    /// Whether its messages are frames over the port.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.mode, Mode::Stream)
    }

    /// The file behind the guest's memory.
    pub(crate) fn memory(&self) -> Option<&File> {
        self.shared.as_ref().map(|shared| &shared.file)
    }

    /// Bytes that a message may have.
    pub fn room(&self) -> usize {
        match (&self.mode, &self.shared) {
            (Mode::Shared, Some(shared)) => inbox_size(shared) as usize,
            _ => 1 << 20,
        }
    }

    /// Sends a message, given in parts.
    pub fn send(&mut self, parts: &[&[u8]]) -> Result<(), LinkError> {
        let size: usize = parts.iter().map(|part| part.len()).sum();
        if size > self.room() {
            return Err(LinkError::TooLarge(size, self.room()));
        }
        match (&self.mode, &self.shared) {
            (Mode::Shared, Some(shared)) => {
                let mut at = shared.base + CONTROL_SIZE;
                for part in parts {
                    shared.file.write_all_at(part, at)?;
                    at += part.len() as u64;
                }
                let looks = patience().1;
                if looks != self.looks {
                    shared.file.write_all_at(&looks.to_le_bytes(), shared.base + LOOKS)?;
                    self.looks = looks;
                }
                self.sent = self.sent.wrapping_add(1);
                shared.file.write_all_at(&(size as u64).to_le_bytes(), shared.base + TO_GUEST + 4)?;
                shared.file.write_all_at(&self.sent.to_le_bytes(), shared.base + TO_GUEST)?;
                let mut asleep = [0; 4];
                shared.file.read_exact_at(&mut asleep, shared.base + GUEST_ASLEEP)?;
                if asleep != [0; 4] {
                    self.poke(RING)?;
                }
            }
            _ => {
                let message = parts.concat();
                let mut frame = MARK.to_vec();
                frame.extend((size as u32).to_le_bytes());
                frame.extend(checksum(&message).to_le_bytes());
                frame.extend(message);
                self.port.write_all(&frame)?;
            }
        }
        Ok(())
    }

    /// Asks the guest to stop what it runs.
    pub fn interrupt(&mut self) -> Result<(), LinkError> {
        Ok(self.poke(BREAK)?)
    }

    /// Sends one byte. A guest that is dead reads none of them: then the way is full some day, and that must not stop us.
    fn poke(&self, byte: u8) -> std::io::Result<()> {
        self.port.set_nonblocking(true)?;
        let sent = (&self.port).write(&[byte]);
        self.port.set_nonblocking(false)?;
        match sent {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }

    /// The next message, waited for so long.
    pub fn receive(&mut self, patience: Duration) -> Result<Vec<u8>, LinkError> {
        let start = Instant::now();
        let deadline = start + patience;
        let awake = self::patience().0.min(patience);
        while matches!(self.mode, Mode::Shared) && start.elapsed() < awake {
            if let Some(message) = self.look()? {
                return Ok(message);
            }
            // It may be QEMU that waits for this processor.
            std::thread::yield_now();
        }
        self.set_asleep(true)?;
        let message = self.sleep(deadline, patience);
        self.set_asleep(false)?;
        message
    }

    /// Tells the guest whether it has to ring.
    fn set_asleep(&mut self, asleep: bool) -> Result<(), LinkError> {
        if let Some(shared) = &self.shared {
            shared.file.write_all_at(&u32::from(asleep).to_le_bytes(), shared.base + HOST_ASLEEP)?;
        }
        Ok(())
    }

    fn sleep(&mut self, deadline: Instant, patience: Duration) -> Result<Vec<u8>, LinkError> {
        loop {
            if let Some(message) = self.look()? {
                return Ok(message);
            }
            if let Some(message) = self.frame() {
                return Ok(message);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(LinkError::Silent(patience));
            }
            self.port.set_read_timeout(Some(left.min(LOOK).max(Duration::from_millis(1))))?;
            let mut bytes = [0; 4096];
            match self.port.read(&mut bytes) {
                Ok(0) => return Err(LinkError::Closed),
                Ok(count) => self.pending.extend_from_slice(&bytes[..count]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    // A byte to it may have got lost, too; one too many is noise.
                    if matches!(self.mode, Mode::Shared) {
                        self.poke(RING)?;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Err(LinkError::Closed),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A new message in shared memory.
    fn look(&mut self) -> Result<Option<Vec<u8>>, LinkError> {
        let Some(shared) = self.shared.as_ref().filter(|_| !matches!(self.mode, Mode::Stream)) else {
            return Ok(None);
        };
        let mut control = [0; 16];
        shared.file.read_exact_at(&mut control, shared.base + TO_HOST)?;
        let number = u32::from_le_bytes([control[0], control[1], control[2], control[3]]);
        if number == self.seen {
            return Ok(None);
        }
        let mut size = [0; 8];
        size.copy_from_slice(&control[8..]);
        let outbox = shared.size - CONTROL_SIZE - inbox_size(shared);
        // A guest that has lost its mind may write anything there.
        let size = u64::from_le_bytes(size).min(outbox) as usize;
        let mut message = vec![0; size];
        shared.file.read_exact_at(&mut message, shared.base + CONTROL_SIZE + inbox_size(shared))?;
        self.seen = number;
        self.mode = Mode::Shared;
        self.pending.clear();
        Ok(Some(message))
    }

    /// A whole frame among the bytes of the port. What cannot be part of one is dropped.
    fn frame(&mut self) -> Option<Vec<u8>> {
        if matches!(self.mode, Mode::Shared) {
            self.pending.clear();
            return None;
        }
        loop {
            let start = self.pending.windows(MARK.len()).position(|window| window == MARK);
            let Some(start) = start else {
                // The mark may have come in part.
                let keep = self.pending.len().min(MARK.len() - 1);
                self.pending.drain(..self.pending.len() - keep);
                return None;
            };
            self.pending.drain(..start);
            let word = |at: usize| {
                let bytes = self.pending.get(at..at + 4)?;
                Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
            };
            let (size, sum) = (word(4)? as usize, word(8)?);
            if size > LONGEST {
                self.pending.drain(..1);
                continue;
            }
            let message = self.pending.get(12..12 + size)?;
            if checksum(message) == sum {
                let message = message.to_vec();
                self.pending.drain(..12 + size);
                self.mode = Mode::Stream;
                return Some(message);
            }
            self.pending.drain(..1);
        }
    }
}

fn inbox_size(shared: &SharedArea) -> u64 {
    (shared.size - CONTROL_SIZE) / 4 * 3
}

/// Adler-32.
fn checksum(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1u32, 0u32);
    for &byte in bytes {
        a = (a + u32::from(byte)) % 65521;
        b = (b + a) % 65521;
    }
    b << 16 | a
}
