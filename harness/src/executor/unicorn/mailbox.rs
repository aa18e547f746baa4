//! Memory that an emulator's process shares with its owner: a place for one message, two counters to wait for, and notes that
//! outlive the process.
//!
//! One side writes while the other waits, so that nothing is read while it changes, unless the other side misbehaves; what
//! comes from there is taken as bytes and checked like any file. A futex takes half the time of a socket.
#![expect(unsafe_code, reason = "memory that another process writes is no slice of ours")]

use std::fs::File;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use memmap2::{MmapOptions, MmapRaw};
use rustix::fs::{MemfdFlags, Timespec};
use rustix::thread::futex;

use crate::executor::wire::PIECE;

/// How a mailbox begins.
const MAGIC: u64 = u64::from_le_bytes(*b"LINKRIG\x01");
/// Bytes before the message.
const HEAD: usize = 4096;
/// Bytes that a message may have: a piece of memory, what goes with it, and as much again, as a batch is sent when the next
/// operation would not fit.
pub(super) const ROOM: usize = 2 * PIECE + 64 * 1024;
/// Bytes in a mailbox. What the process says on its standard output and error is behind it.
const SIZE: usize = HEAD + ROOM;
/// Bytes of code around a death that are noted.
const CODE: usize = 2048;

/// What a mailbox begins with.
#[repr(C)]
struct Head {
    magic: AtomicU64,
    length: AtomicU64,
    request: AtomicU32,
    answer: AtomicU32,
    /// The block that was entered last.
    entered: AtomicU64,
    /// Bytes of code that were translated.
    translated: AtomicU64,
    /// What is below was noted by a process that a signal ends; 0 if it was not.
    signal: AtomicU32,
    thumb: AtomicU32,
    pc: AtomicU64,
    code: AtomicU64,
    bytes: [AtomicU8; CODE],
}

/// A direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counter {
    Request,
    Answer,
}

/// What a process noted when a signal was about to end it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LastWords {
    pub(super) pc: u64,
    pub(super) thumb: bool,
    /// The code there, as far as it is in this page.
    pub(super) code: Vec<u8>,
}

/// The shared memory.
#[derive(Debug)]
pub(super) struct Mailbox(MmapRaw);

impl Mailbox {
    /// A new one, and the file that it is. The file's position is behind it.
    pub(super) fn create() -> std::io::Result<(Mailbox, File)> {
        let file = File::from(rustix::fs::memfd_create("linkrig-emulator", MemfdFlags::CLOEXEC)?);
        file.set_len(SIZE as u64)?;
        rustix::fs::seek(&file, rustix::fs::SeekFrom::Start(SIZE as u64))?;
        let mailbox = Mailbox::map(&file)?;
        mailbox.head().magic.store(MAGIC, Ordering::Relaxed);
        Ok((mailbox, file))
    }

    /// The one that a file is, if it is one.
    pub(super) fn open(file: impl AsFd) -> Option<Mailbox> {
        let file = File::from(file.as_fd().try_clone_to_owned().ok()?);
        if file.metadata().ok()?.len() < SIZE as u64 {
            return None;
        }
        let mailbox = Mailbox::map(&file).ok()?;
        (mailbox.head().magic.load(Ordering::Relaxed) == MAGIC).then_some(mailbox)
    }

    fn map(file: &File) -> std::io::Result<Mailbox> {
        Ok(Mailbox(MmapOptions::new().len(SIZE).map_raw(file)?))
    }

    fn head(&self) -> &Head {
        // SAFETY: the mapping is page-aligned, longer than a head, and stays as long as this does; all of a head is atomic, so
        // that another process may write to it.
        unsafe { &*self.0.as_ptr().cast::<Head>() }
    }

    /// Where the message is.
    fn message(&self) -> *mut u8 {
        // SAFETY: the mapping is longer than a head.
        unsafe { self.0.as_mut_ptr().add(HEAD) }
    }

    fn counter(&self, counter: Counter) -> &AtomicU32 {
        match counter {
            Counter::Request => &self.head().request,
            Counter::Answer => &self.head().answer,
        }
    }

    /// How often there was a message in this direction.
    pub(super) fn count(&self, counter: Counter) -> u32 {
        self.counter(counter).load(Ordering::Acquire)
    }

    /// Sends a message in this direction. It has to fit.
    pub(super) fn post(&self, counter: Counter, message: &[u8]) {
        let length = message.len().min(ROOM);
        // SAFETY: the mapping has room for it, and is nobody's slice.
        unsafe { std::ptr::copy_nonoverlapping(message.as_ptr(), self.message(), length) };
        self.head().length.store(length as u64, Ordering::Relaxed);
        self.counter(counter).fetch_add(1, Ordering::Release);
        // Nobody may be waiting yet.
        let _ = futex::wake(self.counter(counter), futex::Flags::empty(), 1);
    }

    /// Waits until there were more messages in this direction than `seen`, for so long at most. Whether there were.
    pub(super) fn wait(&self, counter: Counter, seen: u32, time: Option<Duration>) -> bool {
        let timeout = time.map(|time| Timespec { tv_sec: time.as_secs() as i64, tv_nsec: time.subsec_nanos().into() });
        if self.count(counter) == seen {
            let _ = futex::wait(self.counter(counter), futex::Flags::empty(), seen, timeout.as_ref());
        }
        self.count(counter) != seen
    }

    /// Takes the message out.
    pub(super) fn take(&self, into: &mut Vec<u8>) {
        let length = (self.head().length.load(Ordering::Relaxed) as usize).min(ROOM);
        into.clear();
        into.reserve(length);
        // SAFETY: there are so many bytes in both places, and a vector's own bytes are nobody else's.
        unsafe {
            std::ptr::copy_nonoverlapping(self.message(), into.as_mut_ptr(), length);
            into.set_len(length);
        }
    }

    /// Where the block that is entered is noted.
    pub(super) fn entered(&self) -> &AtomicU64 {
        &self.head().entered
    }

    /// Where it is noted how many bytes of code were translated.
    pub(super) fn translated(&self) -> &AtomicU64 {
        &self.head().translated
    }

    /// Notes where a signal ends the process. Async-signal-safe, and so is `code` to be.
    pub(super) fn note(&self, signal: u32, pc: u64, thumb: bool, code: impl FnOnce(&mut [u8; CODE]) -> usize) {
        let head = self.head();
        head.pc.store(pc, Ordering::Relaxed);
        head.thumb.store(thumb.into(), Ordering::Relaxed);
        head.code.store(0, Ordering::Relaxed);
        head.signal.store(signal, Ordering::Release);
        let mut bytes = [0; CODE];
        let length = code(&mut bytes).min(CODE);
        for (into, byte) in head.bytes.iter().zip(&bytes[..length]) {
            into.store(*byte, Ordering::Relaxed);
        }
        head.code.store(length as u64, Ordering::Release);
    }

    /// What a process that is gone noted.
    pub(super) fn last_words(&self) -> Option<LastWords> {
        let head = self.head();
        if head.signal.load(Ordering::Acquire) == 0 {
            return None;
        }
        let length = (head.code.load(Ordering::Acquire) as usize).min(CODE);
        let code = head.bytes[..length].iter().map(|byte| byte.load(Ordering::Relaxed)).collect();
        let (pc, thumb) = (head.pc.load(Ordering::Relaxed), head.thumb.load(Ordering::Relaxed) != 0);
        Some(LastWords { pc, thumb, code })
    }

    /// What the process said, cut to a reasonable length.
    pub(super) fn said(file: &File) -> String {
        let mut bytes = [0; 4096];
        let length = std::os::unix::fs::FileExt::read_at(file, &mut bytes, SIZE as u64).unwrap_or(0);
        String::from_utf8_lossy(&bytes[..length]).trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_posted_is_taken_and_counted() {
        let (here, file) = Mailbox::create().expect("a mailbox");
        let there = Mailbox::open(&file).expect("the same");
        assert!(!there.wait(Counter::Request, 0, Some(Duration::ZERO)));
        here.post(Counter::Request, b"words");
        assert!(there.wait(Counter::Request, 0, None));
        let mut taken = vec![1];
        there.take(&mut taken);
        assert_eq!(taken, b"words");
        assert_eq!((here.count(Counter::Request), here.count(Counter::Answer)), (1, 0));
    }

    #[test]
    fn last_words_are_there_when_they_were_noted() {
        let (here, file) = Mailbox::create().expect("a mailbox");
        assert_eq!(here.last_words(), None);
        here.note(6, 0x1234, true, |bytes| {
            bytes[..2].copy_from_slice(&[7, 8]);
            2
        });
        let words = Mailbox::open(&file).expect("the same").last_words();
        assert_eq!(words, Some(LastWords { pc: 0x1234, thumb: true, code: vec![7, 8] }));
    }

    #[test]
    fn other_files_are_no_mailboxes() {
        let file = tempfile::tempfile().expect("a file");
        assert!(Mailbox::open(&file).is_none());
        file.set_len(2 * SIZE as u64).expect("longer");
        assert!(Mailbox::open(&file).is_none());
    }
}
