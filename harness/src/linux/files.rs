//! What a process's file descriptors are.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::io::IsTerminal as _;
use std::rc::Rc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use super::Moved;
use super::counter::Counter;
pub(super) use super::opened::NO_BLOCK;
use super::opened::{MOST as MOST_OPENED, Opened};
use super::random::Random;
use super::{End, Fail, Served};
use crate::executor::{Limit, Stop};
use crate::host::{Sink, Stream};

/// Descriptors that a process may have (RLIMIT_NOFILE).
pub(super) const MOST: usize = 1024;
/// Bytes that a pipe holds (pipe(7)).
const PIPE: usize = 65_536;
const WHOLE: usize = 4096;
/// Bytes of output that a new file or directory is taken for.
const FILE: u64 = 4096;

/// What a descriptor is for.
#[derive(Clone, Debug)]
pub(super) enum File {
    /// Our standard input.
    Input,
    /// Our standard output, or our standard error.
    Output(Stream),
    /// `/dev/null`
    Null,
    /// `/dev/zero`
    Zero,
    /// `/dev/random` and `/dev/urandom`, which are as random as the seed.
    Random,
    /// The end of a pipe that is read.
    Reader(Rc<Pipe>),
    /// The end of a pipe that is written.
    Writer(Rc<Pipe>),
    /// A number.
    Counter(Rc<Counter>),
    /// Bytes that are always the same.
    Constant(Rc<Constant>),
    /// A file or a directory of the host.
    Opened(Rc<Opened>),
}

/// A pipe. How often each end is open is how often it is held.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    content: RefCell<VecDeque<u8>>,
    /// Held by everyone who may read, and by everyone who may write.
    ends: RefCell<[usize; 2]>,
}

/// Bytes, and how far they were read.
#[derive(Debug)]
pub(super) struct Constant {
    pub(super) bytes: &'static [u8],
    pub(super) at: Cell<usize>,
}

/// A descriptor.
#[derive(Clone, Debug)]
pub(super) struct Descriptor {
    pub(super) file: File,
    /// O_NONBLOCK and O_APPEND, as the process set them.
    pub(super) flags: u32,
    pub(super) close_on_exec: bool,
}

/// All descriptors of a process.
pub(super) struct Files {
    open: BTreeMap<i32, Descriptor>,
    sink: Sink,
    /// Bytes that it may print and write to files, and what is left of them.
    output: u64,
    left: u64,
    /// Held by each file of the host that is open.
    held: Rc<()>,
    /// Whether those who wait for a file of the process's own are to look again.
    pub(super) changed: bool,
}

impl Files {
    pub(super) fn new(sink: Sink, output: u64) -> Files {
        let standard = [File::Input, File::Output(Stream::Out), File::Output(Stream::Error)];
        let open = (0..).zip(standard).map(|(number, file)| (number, Descriptor::new(file)));
        Files { open: open.collect(), sink, output, left: output, held: Rc::new(()), changed: false }
    }

    /// Has standard input be empty.
    pub(super) fn close_input(&mut self) {
        self.open.insert(0, Descriptor::new(File::Null));
    }

    pub(super) fn get(&self, number: i32) -> Result<&Descriptor, Errno> {
        self.open.get(&number).ok_or(Errno::BADF)
    }

    pub(super) fn get_mut(&mut self, number: i32) -> Result<&mut Descriptor, Errno> {
        self.open.get_mut(&number).ok_or(Errno::BADF)
    }

    /// Opens under the lowest number that is free, of those from `from` on.
    pub(super) fn open(&mut self, descriptor: Descriptor, from: i32) -> Result<i32, Errno> {
        let free = (from..).find(|number| !self.open.contains_key(number)).unwrap_or(i32::MAX);
        self.open_at(descriptor, free)
    }

    /// Opens under this number, closing what was there.
    pub(super) fn open_at(&mut self, descriptor: Descriptor, number: i32) -> Result<i32, Errno> {
        if usize::try_from(number).map_err(|_| Errno::BADF)? >= MOST {
            return Err(Errno::MFILE);
        }
        let _ = self.close(number);
        descriptor.file.hold(1);
        self.open.insert(number, descriptor);
        Ok(number)
    }

    pub(super) fn close(&mut self, number: i32) -> Result<(), Errno> {
        let descriptor = self.open.remove(&number).ok_or(Errno::BADF)?;
        descriptor.file.hold(-1);
        self.changed = true;
        Ok(())
    }

    /// What a file of the host holds that is to be opened.
    pub(super) fn hold(&self) -> Result<&Rc<()>, Errno> {
        if Rc::strong_count(&self.held) > MOST_OPENED { Err(Errno::MFILE) } else { Ok(&self.held) }
    }

    /// Takes bytes that are printed or written. How many of them may be.
    fn take(&mut self, bytes: u64) -> u64 {
        let fits = self.left.min(bytes);
        self.left -= fits;
        fits
    }

    /// Takes the room of a new file.
    pub(super) fn take_file(&mut self) -> Result<(), Fail> {
        if self.take(FILE) < FILE { Err(over()) } else { Ok(()) }
    }

    /// Writes to a file, where it is or at an offset. What is over the limit is not written, and ends the run.
    pub(super) fn write(&mut self, opened: &Opened, bytes: &[u8], offset: Option<u64>) -> Served {
        let fits = self.left.min(bytes.len() as u64) as usize;
        let count = opened.write(&bytes[..fits], offset, self.output)? as u64;
        self.left -= self.left.min(count);
        if fits < bytes.len() { Err(over()) } else { Ok(count) }
    }

    /// Sets the length of a file.
    pub(super) fn set_length(&self, opened: &Opened, length: u64) -> Result<(), Errno> {
        opened.set_length(length, self.output)
    }

    /// Has room made in a file.
    pub(super) fn allocate(&self, opened: &Opened, mode: FallocateFlags, at: u64, size: u64) -> Result<(), Errno> {
        opened.allocate(mode, at, size, self.output)
    }

    /// Prints. What is over the limit is not printed, and ends the run.
    pub(super) fn print(&mut self, stream: Stream, bytes: &[u8]) -> Result<(), Fail> {
        let fits = self.take(bytes.len() as u64) as usize;
        let refused = |error| Stop::Refused(format!("what it prints cannot be written: {error}"));
        (self.sink)(stream, &bytes[..fits]).map_err(|error| Fail::End(End::Stopped(refused(error))))?;
        if fits < bytes.len() { Err(over()) } else { Ok(()) }
    }
}

fn over() -> Fail {
    Fail::End(End::Stopped(Stop::OutOfBudget(Limit::Output)))
}

impl Descriptor {
    pub(super) fn new(file: File) -> Descriptor {
        Descriptor { file, flags: 0, close_on_exec: false }
    }
}

impl File {
    /// Two ends of a new pipe: the one to read from comes first.
    pub(super) fn pipe() -> [File; 2] {
        let pipe = Rc::new(Pipe::default());
        [File::Reader(pipe.clone()), File::Writer(pipe)]
    }

    fn hold(&self, by: isize) {
        let (pipe, end) = match self {
            File::Reader(pipe) => (pipe, 0),
            File::Writer(pipe) => (pipe, 1),
            _ => return,
        };
        let mut ends = pipe.ends.borrow_mut();
        ends[end] = ends[end].saturating_add_signed(by);
    }

    /// Reads up to so many bytes; none at its end.
    pub(super) fn read(&self, most: usize, random: &mut Random) -> Result<Moved<Vec<u8>>, Errno> {
        Ok(Moved::Done(match self {
            File::Input => return standard_input(most),
            File::Null => Vec::new(),
            File::Zero => vec![0; most],
            File::Random => random.bytes(most),
            File::Reader(pipe) => {
                let mut content = pipe.content.borrow_mut();
                if content.is_empty() && most > 0 && pipe.ends.borrow()[1] > 0 {
                    return Ok(Moved::Waits);
                }
                let count = content.len().min(most);
                content.drain(..count).collect()
            }
            File::Counter(counter) => return counter.read(most),
            File::Constant(constant) => {
                let rest = constant.bytes.get(constant.at.get()..).unwrap_or_default();
                let read = &rest[..most.min(rest.len())];
                constant.at.set(constant.at.get() + read.len());
                read.to_vec()
            }
            File::Opened(opened) => opened.read(most, None)?,
            File::Output(_) | File::Writer(_) => return Err(Errno::BADF),
        }))
    }

    /// Writes to a pipe, or to nowhere. How many bytes were taken.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<Moved<usize>, Errno> {
        match self {
            File::Null | File::Zero | File::Random => Ok(Moved::Done(bytes.len())),
            File::Writer(pipe) => {
                if pipe.ends.borrow()[0] == 0 {
                    return Err(Errno::PIPE);
                }
                let mut content = pipe.content.borrow_mut();
                let room = PIPE - content.len();
                // What is no longer than this is written as a whole (PIPE_BUF).
                if room < bytes.len().min(WHOLE) {
                    return Ok(Moved::Waits);
                }
                let count = room.min(bytes.len());
                content.extend(&bytes[..count]);
                Ok(Moved::Done(count))
            }
            File::Counter(counter) => counter.write(bytes),
            File::Input | File::Output(_) | File::Reader(_) | File::Constant(_) | File::Opened(_) => Err(Errno::BADF),
        }
    }

    /// Whether it is a terminal of ours.
    pub(super) fn is_terminal(&self) -> bool {
        match self {
            File::Input => std::io::stdin().is_terminal(),
            File::Output(Stream::Out) => std::io::stdout().is_terminal(),
            File::Output(Stream::Error) => std::io::stderr().is_terminal(),
            _ => false,
        }
    }

    /// Its type and its rights (`st_mode`).
    pub(super) fn mode(&self) -> u32 {
        match self {
            File::Null | File::Zero | File::Random => 0o020_666,
            file if file.is_terminal() => 0o020_620,
            _ => 0o010_600,
        }
    }

    /// What of POLLIN, POLLOUT, POLLERR and POLLHUP holds.
    pub(super) fn events(&self) -> u16 {
        const IN: u16 = 1;
        const OUT: u16 = 4;
        const ERR: u16 = 8;
        const HUP: u16 = 16;
        match self {
            File::Input if has_input(Duration::ZERO).unwrap_or(true) => IN,
            File::Input => 0,
            File::Output(_) => OUT,
            File::Null | File::Zero | File::Random | File::Opened(_) => IN | OUT,
            File::Constant(_) => IN,
            File::Reader(pipe) => {
                let closed = if pipe.ends.borrow()[1] == 0 { HUP } else { 0 };
                closed | if pipe.content.borrow().is_empty() { 0 } else { IN }
            }
            File::Writer(pipe) if pipe.ends.borrow()[0] == 0 => OUT | ERR,
            File::Writer(pipe) if pipe.content.borrow().len() < PIPE => OUT,
            File::Writer(_) => 0,
            File::Counter(counter) => {
                let (reads, writes) = counter.is_ready();
                (u16::from(reads) * IN) | (u16::from(writes) * OUT)
            }
        }
    }
}

/// Whether our standard input has something, or ends, within this time.
pub(super) fn has_input(time: Duration) -> Result<bool, Errno> {
    let input = std::io::stdin();
    let time = Timespec { tv_sec: time.as_secs().min(1 << 31) as i64, tv_nsec: time.subsec_nanos().into() };
    Ok(poll(&mut [PollFd::new(&input, PollFlags::IN)], Some(&time))? > 0)
}

fn standard_input(most: usize) -> Result<Moved<Vec<u8>>, Errno> {
    if !has_input(Duration::ZERO)? {
        return Ok(Moved::Waits);
    }
    let mut bytes = vec![0; most];
    // As it comes: what a buffer of ours held back, nobody would see that there is.
    let count = rustix::io::read(rustix::stdio::stdin(), &mut bytes)?;
    bytes.truncate(count);
    Ok(Moved::Done(bytes))
}
