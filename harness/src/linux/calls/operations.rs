//! The table of semihosting operations: each with its number and what serves it. Parameters are mostly blocks of words in memory.
//! Handles of files are descriptors and one more, as 0 is none.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use rustix::io::Errno;

use super::paths::HERE;
use crate::executor::hosted::engine::Engine;
use crate::executor::{Guest as _, Register};
use crate::host::Stream;
use crate::linux::files::{Constant, Descriptor, File};
use crate::linux::opened::{APPEND, status};
use crate::linux::signals::number;
use crate::linux::threads::Wait;
use crate::linux::{End, Fail, Moved, Process, Served};

/// What serves an operation, by its parameter.
type Serve<E> = fn(&mut Process<E>, u64) -> Served;

/// What is in `:semihosting-features`: the magic number, and that there are SYS_EXIT_EXTENDED and `:tt` for errors.
const FEATURES: &[u8] = b"SHFB\x03";
/// Ticks in a second: the clock counts nanoseconds.
const TICKS: u64 = 1_000_000_000;
/// Names of temporary files there are.
const MOST_NAMES: u64 = 256;

/// Why a program says that it has stopped, and the signal that says the same. ADP_Stopped_ApplicationExit is none.
const APPLICATION_EXIT: u64 = 0x2_0026;
const REASONS: &[(u64, u32)] = &[
    (0x2_0000, number::SEGV), // BranchThroughZero
    (0x2_0001, number::ILL),  // UndefinedInstr
    (0x2_0003, number::SEGV), // PrefetchAbort
    (0x2_0004, number::SEGV), // DataAbort
    (0x2_0020, number::TRAP), // BreakPoint
    (0x2_0025, number::INT),  // UserInterruption
    (0x2_0027, number::SEGV), // StackOverflow
    (0x2_0028, number::FPE),  // DivisionByZero
];

impl<E: Engine + 'static> Process<E> {
    #[rustfmt::skip]
    const OPERATIONS: &[(u64, &'static str, Serve<E>)] = &[
        (0x01, "SYS_OPEN", Process::semihosting_open),
        (0x02, "SYS_CLOSE", |p, at| { let number = p.file_of(at)?; p.files.close(number)?; Ok(0) }),
        (0x03, "SYS_WRITEC", |p, at| { let mut byte = [0]; p.machine.read(at, &mut byte)?; p.files.print(Stream::Error, &byte)?; Ok(0) }),
        (0x04, "SYS_WRITE0", Process::write_text),
        (0x05, "SYS_WRITE", |p, at| p.moved(at, |p, number, part| p.write_at(number, &[part], None))),
        (0x06, "SYS_READ", |p, at| p.moved(at, |p, number, part| p.read_at(number, &[part], None))),
        (0x07, "SYS_READC", |p, _| p.read_byte()),
        (0x08, "SYS_ISERROR", |p, at| { let [value] = p.fields(at)?; Ok(u64::from(p.is_negative(value))) }),
        (0x09, "SYS_ISTTY", |p, at| { let number = p.file_of(at)?; Ok(u64::from(p.files.get(number)?.file.is_terminal())) }),
        (0x0a, "SYS_SEEK", Process::semihosting_seek),
        (0x0c, "SYS_FLEN", Process::length),
        (0x0d, "SYS_TMPNAM", Process::temporary_name),
        (0x0e, "SYS_REMOVE", |p, at| { let [name, length] = p.fields(at)?; p.text(name, length)?; p.unlinkat(HERE, name, 0) }),
        (0x0f, "SYS_RENAME", Process::semihosting_rename),
        (0x10, "SYS_CLOCK", |p, _| Ok((p.clock.elapsed().as_millis() / 10) as u64)),
        (0x11, "SYS_TIME", |p, _| Ok(p.clock.date().as_secs())),
        // There is no interpreter of commands.
        (0x12, "SYS_SYSTEM", |p, _| { p.asks.count(0x12); Err(Errno::NOSYS.into()) }),
        (0x13, "SYS_ERRNO", |p, _| Ok(p.asks.errno as u64)),
        (0x15, "SYS_GET_CMDLINE", Process::command_line),
        (0x16, "SYS_HEAPINFO", Process::heap_information),
        (0x18, "SYS_EXIT", |p, at| if p.abi.is_64 { p.exit_with(at) } else { Err(ended(at, 0)) }),
        (0x20, "SYS_EXIT_EXTENDED", Process::exit_with),
        (0x30, "SYS_ELAPSED", Process::elapsed),
        (0x31, "SYS_TICKFREQ", |_, _| Ok(TICKS)),
    ];

    /// Serves an operation by its number. None for one that is not served.
    pub(in crate::linux) fn serve_operation(&mut self, operation: u64, parameter: u64) -> Option<Served> {
        let row = Self::OPERATIONS.iter().find(|row| row.0 == operation)?;
        Some((row.2)(self, parameter))
    }

    /// What the specification calls an operation.
    pub fn operation_name(operation: u64) -> Option<&'static str> {
        Self::OPERATIONS.iter().find(|row| row.0 == operation).map(|row| row.1)
    }

    /// The words of a block.
    fn fields<const N: usize>(&mut self, at: u64) -> Result<[u64; N], Fail> {
        let word = self.abi.word();
        let mut bytes = [0; 64];
        let bytes = &mut bytes[..N * word];
        self.machine.read(at, bytes)?;
        Ok(std::array::from_fn(|n| self.abi.target.number(&bytes[n * word..(n + 1) * word])))
    }

    /// Writes words from an address on.
    fn put_fields(&mut self, at: u64, fields: &[u64]) -> Result<(), Fail> {
        let word = self.abi.word();
        let bytes: Vec<u8> = fields.iter().flat_map(|field| self.abi.target.bytes(*field, word)).collect();
        Ok(self.machine.write(at, &bytes)?)
    }

    /// The descriptor that the first field of a block names by its handle.
    fn file_of(&mut self, at: u64) -> Result<i32, Fail> {
        let [handle] = self.fields(at)?;
        Ok(descriptor(handle)?)
    }

    fn is_negative(&self, value: u64) -> bool {
        if self.abi.is_64 { (value as i64) < 0 } else { (value as u32 as i32) < 0 }
    }

    /// A text that ends where it says.
    fn text(&mut self, at: u64, length: u64) -> Result<Vec<u8>, Fail> {
        let text = self.path(at)?;
        if text.len() as u64 != length {
            return Err(Errno::INVAL.into());
        }
        Ok(text)
    }

    fn semihosting_open(&mut self, at: u64) -> Served {
        const WRITE: u32 = 1;
        const READ_AND_WRITE: u32 = 2;
        const CREATE: u32 = 0o100;
        const TRUNCATE: u32 = 0o1000;
        /// `r`, `w` and `a`; each with `b` and `+` has four numbers.
        const NEW: [u32; 3] = [0, CREATE | TRUNCATE, CREATE | APPEND];
        let [name, mode, length] = self.fields(at)?;
        let kind = usize::try_from(mode / 4).ok().filter(|kind| *kind < NEW.len()).ok_or(Errno::INVAL)?;
        let name = self.text(name, length)?;
        let file = match &name[..] {
            b":tt" => [File::Input, File::Output(Stream::Out), File::Output(Stream::Error)][kind].clone(),
            b":semihosting-features" if mode < 2 => {
                File::Constant(Rc::new(Constant { bytes: FEATURES, at: Cell::new(0) }))
            }
            b":semihosting-features" => return Err(Errno::ACCESS.into()),
            path => {
                let access = match (mode & 2 != 0, kind) {
                    (true, _) => READ_AND_WRITE,
                    (false, 0) => 0,
                    (false, _) => WRITE,
                };
                return Ok(self.open_path(path, access | NEW[kind], 0o666)? + 1);
            }
        };
        Ok(self.files.open(Descriptor::new(file), 0)? as u64 + 1)
    }

    fn write_text(&mut self, at: u64) -> Served {
        let mut at = at;
        loop {
            // It may end just before memory that is not there.
            let mut piece = [0; 256];
            let size = (256 - at % 256) as usize;
            self.machine.read(at, &mut piece[..size])?;
            let end = piece[..size].iter().position(|&byte| byte == 0);
            self.files.print(Stream::Error, &piece[..end.unwrap_or(size)])?;
            if end.is_some() {
                return Ok(0);
            }
            at = self.machine.engine.wrap(at.wrapping_add(size as u64));
        }
    }

    /// Reads or writes: handle, address, and how many bytes. How many were not.
    fn moved(&mut self, at: u64, by: fn(&mut Process<E>, u64, (u64, u64)) -> Served) -> Served {
        let [handle, address, size] = self.fields(at)?;
        let done = descriptor(handle).map_err(Fail::from).and_then(|number| by(self, number as u64, (address, size)));
        match done {
            Err(Fail::Error(errno)) => {
                self.asks.errno = errno.raw_os_error();
                Ok(size)
            }
            done => Ok(size - done?.min(size)),
        }
    }

    fn read_byte(&mut self) -> Served {
        match File::Input.read(1, &mut self.random)? {
            Moved::Done(bytes) => bytes.first().map(|byte| u64::from(*byte)).ok_or(Errno::IO.into()),
            Moved::Waits => Err(Fail::Wait(Wait::for_file("to read its standard input", true, 0))),
        }
    }

    fn semihosting_seek(&mut self, at: u64) -> Served {
        let [handle, place] = self.fields(at)?;
        let number = descriptor(handle)?;
        if let File::Constant(constant) = &self.files.get(number)?.file {
            constant.at.set(usize::try_from(place).unwrap_or(usize::MAX).min(constant.bytes.len()));
            return Ok(0);
        }
        self.seek(number as u64, place as i64, 0)?;
        Ok(0)
    }

    fn length(&mut self, at: u64) -> Served {
        let number = self.file_of(at)?;
        match &self.files.get(number)?.file {
            File::Constant(constant) => Ok(constant.bytes.len() as u64),
            File::Opened(opened) => match opened.fd().filter(|_| !opened.is_directory()) {
                Some(fd) => Ok(status(fd)?.stx_size),
                None => Err(Errno::ISDIR.into()),
            },
            _ => Err(Errno::SPIPE.into()),
        }
    }

    fn temporary_name(&mut self, at: u64) -> Served {
        let [buffer, number, size] = self.fields(at)?;
        let name = format!("/tmp/semihosting-{number:02x}\0");
        if number >= MOST_NAMES || (name.len() as u64) > size {
            return Err(Errno::INVAL.into());
        }
        self.machine.write(buffer, name.as_bytes())?;
        Ok(0)
    }

    fn semihosting_rename(&mut self, at: u64) -> Served {
        let [old, old_length, new, new_length] = self.fields(at)?;
        self.text(old, old_length)?;
        self.text(new, new_length)?;
        self.renameat((HERE, old), (HERE, new), 0)
    }

    fn command_line(&mut self, at: u64) -> Served {
        let [buffer, size] = self.fields(at)?;
        let mut line = command_line(self.words.iter().map(String::as_str)).into_bytes();
        let length = line.len() as u64;
        line.push(0);
        self.machine.spend(line.len() as u64)?;
        if length >= size {
            self.asks.too_long = Some((length, size));
            return Err(Errno::TOOBIG.into());
        }
        self.machine.write(buffer, &line)?;
        self.put_fields(at, &[buffer, length])?;
        Ok(0)
    }

    fn heap_information(&mut self, at: u64) -> Served {
        let [block] = self.fields(at)?;
        let (start, end) = self.give_heap();
        let stack = *self.space.stack.start();
        self.put_fields(block, &[start, end, self.abi.stack_end, stack])?;
        Ok(0)
    }

    fn exit_with(&mut self, at: u64) -> Served {
        let [reason, code] = self.fields(at)?;
        Err(ended(reason, code))
    }

    fn elapsed(&mut self, at: u64) -> Served {
        let ticks =
            u64::try_from(self.clock.elapsed().min(Duration::from_nanos(u64::MAX)).as_nanos()).unwrap_or(u64::MAX);
        let written = self.machine.write(at, &self.abi.target.bytes(ticks, 8));
        if written.is_err() {
            // The parameter says so, too.
            self.machine.set(Register::Core(1), u64::MAX.into());
        }
        written?;
        Ok(0)
    }
}

/// The descriptor of a handle.
fn descriptor(handle: u64) -> Result<i32, Errno> {
    i32::try_from(handle).ok().and_then(|handle| handle.checked_sub(1)).filter(|n| *n >= 0).ok_or(Errno::BADF)
}

/// How a program ended that says why.
fn ended(reason: u64, code: u64) -> Fail {
    Fail::End(match reason {
        APPLICATION_EXIT => End::Exited(code as u8),
        _ => {
            let signal = REASONS.iter().find(|row| row.0 == reason).map_or(number::ABRT, |row| row.1);
            End::Killed { signal, fault: None }
        }
    })
}

/// The one line that a program without a system gets for the words that it is called by.
pub fn command_line<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(quoted).collect::<Vec<_>>().join(" ")
}

/// A word as start-up code takes it from a command line: in quotes if it has blanks.
fn quoted(word: &str) -> String {
    let plain = !word.is_empty() && !word.contains([' ', '"', '\'']);
    match (plain, word.contains('"')) {
        (true, _) => word.to_owned(),
        (false, true) => format!("'{word}'"),
        (false, false) => format!("\"{word}\""),
    }
}
