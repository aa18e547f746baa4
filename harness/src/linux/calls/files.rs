//! Calls about descriptors.

use std::rc::Rc;

use rustix::io::Errno;

use crate::executor::Guest as _;
use crate::executor::hosted::engine::Engine;
use crate::linux::abi::Structure;
use crate::linux::counter::Counter;
use crate::linux::files::{Descriptor, File, NO_BLOCK};
use crate::linux::signals::{Info, SI_USER, number};
use crate::linux::threads::Wait;
use crate::linux::{Fail, Moved, Process, Served};

/// Bytes that are moved at a time.
const MOST: u64 = 1 << 20;
/// Bytes that one call moves, at most (MAX_RW_COUNT).
const LARGEST: u64 = 0x7fff_f000;
/// Parts that one call names, at most (UIO_MAXIOV).
const MOST_PARTS: u64 = 1024;
/// O_CLOEXEC
pub(super) const CLOSE_ON_EXEC: u32 = 0o2_000_000;

impl<E: Engine + 'static> Process<E> {
    pub(super) fn read_call(&mut self, a: &[u64; 6]) -> Served {
        self.read_at(a[0], &[(a[1], a[2])], None)
    }

    /// Reads into parts of memory, one behind the other, until there is no more. What is not a file is read only once.
    pub(super) fn read_at(&mut self, number: u64, parts: &[(u64, u64)], offset: Option<u64>) -> Served {
        let is_file = matches!(self.files.get(number as i32)?.file, File::Opened(_));
        let mut done = 0;
        for &(address, size) in parts {
            let size = size.min(LARGEST);
            let mut here = 0;
            while here < size || size == 0 && parts.len() == 1 {
                let most = (size - here).min(MOST);
                let at = offset.map(|offset| offset.saturating_add(done));
                let count = match self.read_once(number as i32, address.wrapping_add(here), most, at) {
                    Ok(count) => count,
                    Err(Fail::Error(_)) if done > 0 => return Ok(done),
                    Err(fail) => return Err(fail),
                };
                done += count;
                here += count;
                if count < most || size == 0 || !is_file {
                    return Ok(done);
                }
            }
        }
        Ok(done)
    }

    fn read_once(&mut self, number: i32, address: u64, count: u64, offset: Option<u64>) -> Served {
        let (file, flags) = {
            let descriptor = self.files.get(number)?;
            (descriptor.file.clone(), descriptor.flags)
        };
        self.machine.spend(count)?;
        let moved = match (&file, offset) {
            (File::Opened(opened), _) => {
                self.settle_file(opened)?;
                Moved::Done(opened.read(count as usize, offset)?)
            }
            _ => file.read(count as usize, &mut self.random)?,
        };
        match moved {
            Moved::Done(bytes) => {
                self.files.changed |= matches!(file, File::Reader(_) | File::Counter(_));
                self.machine.write(address, &bytes)?;
                Ok(bytes.len() as u64)
            }
            Moved::Waits if flags & NO_BLOCK != 0 => Err(Errno::AGAIN.into()),
            Moved::Waits => {
                let what = if matches!(file, File::Input) {
                    "to read its standard input"
                } else {
                    "to read what nobody has written yet"
                };
                Err(Fail::Wait(Wait::for_file(what, matches!(file, File::Input), 0)))
            }
        }
    }

    pub(super) fn write_call(&mut self, a: &[u64; 6]) -> Served {
        self.write_at(a[0], &[(a[1], a[2])], None)
    }

    /// Writes parts of memory, one behind the other: several together where they are small. What may have to wait takes only so much
    /// of a call.
    pub(super) fn write_at(&mut self, number: u64, parts: &[(u64, u64)], offset: Option<u64>) -> Served {
        let waits = !matches!(self.files.get(number as i32)?.file, File::Opened(_) | File::Output(_));
        let mut done = 0;
        let mut parts = parts.iter().map(|&(address, size)| (address, size.min(LARGEST))).peekable();
        loop {
            let mut bytes = Vec::new();
            while let Some((address, size)) = parts.peek_mut().filter(|_| (bytes.len() as u64) < MOST) {
                let here = (*size).min(MOST - bytes.len() as u64);
                let start = bytes.len();
                bytes.resize(start + here as usize, 0);
                match self.machine.read(*address, &mut bytes[start..]).map_err(Fail::from) {
                    Err(Fail::Error(_)) if done > 0 => return Ok(done),
                    read => read?,
                }
                *address = address.wrapping_add(here);
                *size -= here;
                if *size == 0 {
                    parts.next();
                }
            }
            let at = offset.map(|offset| offset.saturating_add(done));
            let count = match self.put_out(number as i32, &bytes, at) {
                Err(Fail::Error(_)) if done > 0 => return Ok(done),
                count => count?,
            };
            done += count;
            if waits || count < bytes.len() as u64 || parts.peek().is_none() {
                return Ok(done);
            }
        }
    }

    fn put_out(&mut self, number_of: i32, bytes: &[u8], offset: Option<u64>) -> Served {
        let (file, flags) = {
            let descriptor = self.files.get(number_of)?;
            (descriptor.file.clone(), descriptor.flags)
        };
        if let File::Output(stream) = file {
            self.files.print(stream, bytes)?;
            return Ok(bytes.len() as u64);
        }
        if let File::Opened(opened) = &file {
            self.settle_file(opened)?;
            let written = self.files.write(opened, bytes, offset);
            self.refresh(opened)?;
            return written;
        }
        // What was written before it had to wait.
        let done = std::mem::take(&mut self.threads.current.done);
        let (moved, waits) = match file.write(&bytes[done.min(bytes.len())..]) {
            Ok(Moved::Done(count)) => (Ok(count), done + count < bytes.len()),
            Ok(Moved::Waits) => (Ok(0), true),
            Err(errno) => (Err(errno), false),
        };
        match moved {
            Ok(count) => {
                let done = done + count;
                self.files.changed |= count > 0;
                match waits {
                    true if flags & NO_BLOCK == 0 => {
                        Err(Fail::Wait(Wait::for_file("to write where there is no room", false, done)))
                    }
                    true if done == 0 => Err(Errno::AGAIN.into()),
                    _ => Ok(done as u64),
                }
            }
            Err(errno) => {
                if errno == Errno::PIPE {
                    self.send(Info::sent(number::PIPE, SI_USER))?;
                }
                Err(errno.into())
            }
        }
    }

    /// The parts that a call names: address and bytes of each, all together within bounds.
    pub(super) fn parts(&mut self, at: u64, count: u64) -> Result<Vec<(u64, u64)>, Fail> {
        if count > MOST_PARTS {
            return Err(Errno::INVAL.into());
        }
        let word = self.abi.word();
        let mut bytes = vec![0; count as usize * 2 * word];
        self.machine.read(at, &mut bytes)?;
        let target = self.abi.target;
        let mut left = LARGEST;
        let parts = bytes.chunks_exact(2 * word).map(|part| {
            let size = target.number(&part[word..]).min(left);
            left -= size;
            (target.number(&part[..word]), size)
        });
        Ok(parts.collect())
    }

    pub(super) fn readv(&mut self, a: &[u64; 6]) -> Served {
        let parts = self.parts(a[1], a[2])?;
        self.read_at(a[0], &parts, None)
    }

    pub(super) fn writev(&mut self, a: &[u64; 6]) -> Served {
        let parts = self.parts(a[1], a[2])?;
        self.write_at(a[0], &parts, None)
    }

    pub(super) fn close_range(&mut self, a: &[u64; 6]) -> Served {
        let last = a[1].min(crate::linux::files::MOST as u64);
        for number in a[0]..=last {
            let _ = self.files.close(number as i32);
        }
        Ok(0)
    }

    pub(super) fn duplicate(&mut self, number: i32, from: i32, close_on_exec: bool) -> Served {
        let descriptor = Descriptor { close_on_exec, ..self.files.get(number)?.clone() };
        if usize::try_from(from).is_ok_and(|from| from >= crate::linux::files::MOST) {
            return Err(Errno::INVAL.into());
        }
        Ok(self.files.open(descriptor, from)? as u64)
    }

    pub(super) fn dup3(&mut self, a: &[u64; 6], same: bool) -> Served {
        let (old, new) = (a[0] as i32, a[1] as i32);
        let close_on_exec = !same && a[2] as u32 & CLOSE_ON_EXEC != 0;
        let descriptor = Descriptor { close_on_exec, ..self.files.get(old)?.clone() };
        if usize::try_from(new).is_ok_and(|new| new >= crate::linux::files::MOST) {
            return Err(Errno::BADF.into());
        }
        match old == new {
            true if same => Ok(new as u64),
            true => Err(Errno::INVAL.into()),
            false => Ok(self.files.open_at(descriptor, new)? as u64),
        }
    }

    pub(super) fn fcntl(&mut self, a: &[u64; 6]) -> Served {
        const DUPLICATE: u64 = 0;
        const GET_DESCRIPTOR: u64 = 1;
        const SET_DESCRIPTOR: u64 = 2;
        const GET: u64 = 3;
        const SET: u64 = 4;
        const GET_LOCK: [u64; 3] = [5, 12, 36];
        const SET_LOCK: [u64; 6] = [6, 7, 13, 14, 37, 38];
        const DUPLICATE_CLOSING: u64 = 1030;
        let number = a[0] as i32;
        let descriptor = self.files.get_mut(number)?;
        match a[1] & 0xffff_ffff {
            what @ (DUPLICATE | DUPLICATE_CLOSING) => {
                let from = i32::try_from(a[2]).map_err(|_| Errno::INVAL)?;
                self.duplicate(number, from, what == DUPLICATE_CLOSING)
            }
            GET_DESCRIPTOR => Ok(descriptor.close_on_exec.into()),
            SET_DESCRIPTOR => {
                descriptor.close_on_exec = a[2] & 1 != 0;
                Ok(0)
            }
            what if GET_LOCK.contains(&what) => self.get_lock(a[2]),
            what if SET_LOCK.contains(&what) => Ok(0),
            GET => {
                let access = match &descriptor.file {
                    File::Opened(opened) => return Ok(opened.flags.get().into()),
                    File::Input | File::Reader(_) => 0,
                    File::Output(_) | File::Writer(_) => 1,
                    _ => 2,
                };
                Ok((descriptor.flags | access).into())
            }
            SET => {
                descriptor.flags = a[2] as u32 & NO_BLOCK;
                if let File::Opened(opened) = &descriptor.file {
                    opened.set_flags(a[2] as u32)?;
                }
                Ok(0)
            }
            _ => Err(Errno::INVAL.into()),
        }
    }

    pub(super) fn ioctl(&mut self, a: &[u64; 6]) -> Served {
        const GET_TERMINAL: u64 = 0x5401;
        const WINDOW: u64 = 0x5413;
        let terminal = self.files.get(a[0] as i32)?.file.is_terminal();
        match a[1] & 0xffff_ffff {
            GET_TERMINAL if terminal => {
                // Four words of flags, the line's discipline, and what its characters are: those of a terminal that was left alone.
                let structure = Structure::new(&self.abi).int(0x500).int(5).int(0xbf).int(0x8a3b).up_to(36);
                self.machine.write(a[2], &structure.bytes())?;
                Ok(0)
            }
            WINDOW if terminal => {
                self.machine.write(a[2], &Structure::new(&self.abi).half(24).half(80).up_to(8).bytes())?;
                Ok(0)
            }
            _ => Err(Errno::NOTTY.into()),
        }
    }

    pub(super) fn eventfd2(&mut self, a: &[u64; 6]) -> Served {
        const SEMAPHORE: u32 = 1;
        let flags = a[1] as u32;
        if flags & !(SEMAPHORE | NO_BLOCK | CLOSE_ON_EXEC) != 0 {
            return Err(Errno::INVAL.into());
        }
        let file = File::Counter(Rc::new(Counter::new(a[0] as u32, flags & SEMAPHORE != 0)));
        let descriptor = Descriptor { file, flags: flags & NO_BLOCK, close_on_exec: flags & CLOSE_ON_EXEC != 0 };
        Ok(self.files.open(descriptor, 0)? as u64)
    }

    pub(super) fn pipe2(&mut self, a: &[u64; 6]) -> Served {
        let flags = a[1] as u32;
        let mut numbers = Vec::new();
        for file in File::pipe() {
            let close_on_exec = flags & CLOSE_ON_EXEC != 0;
            let descriptor = Descriptor { file, flags: flags & NO_BLOCK, close_on_exec };
            match self.files.open(descriptor, 0) {
                Ok(number) => numbers.push(number),
                Err(errno) => {
                    for number in numbers {
                        let _ = self.files.close(number);
                    }
                    return Err(errno.into());
                }
            }
        }
        let structure = Structure::new(&self.abi).int(numbers[0] as u32).int(numbers[1] as u32);
        self.machine.write(a[0], &structure.bytes())?;
        Ok(0)
    }
}
