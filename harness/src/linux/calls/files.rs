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

/// Bytes that one call moves, at most.
const MOST: u64 = 1 << 20;
/// Parts that one call names, at most (UIO_MAXIOV).
const MOST_PARTS: u64 = 1024;
/// O_CLOEXEC
pub(super) const CLOSE_ON_EXEC: u32 = 0o2_000_000;

impl<E: Engine + 'static> Process<E> {
    pub(super) fn read_call(&mut self, a: &[u64; 6]) -> Served {
        let count = a[2].min(MOST);
        let (file, flags) = {
            let descriptor = self.files.get(a[0] as i32)?;
            (descriptor.file.clone(), descriptor.flags)
        };
        self.machine.spend(count)?;
        match file.read(count as usize, &mut self.random)? {
            Moved::Done(bytes) => {
                self.files.changed |= matches!(file, File::Reader(_) | File::Counter(_));
                self.machine.write(a[1], &bytes)?;
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
        let count = a[2].min(MOST);
        let mut bytes = vec![0; count as usize];
        self.files.get(a[0] as i32)?;
        self.machine.read(a[1], &mut bytes)?;
        self.put_out(a[0] as i32, &bytes)
    }

    fn put_out(&mut self, number_of: i32, bytes: &[u8]) -> Served {
        let (file, flags) = {
            let descriptor = self.files.get(number_of)?;
            (descriptor.file.clone(), descriptor.flags)
        };
        if let File::Output(stream) = file {
            self.files.print(stream, bytes)?;
            return Ok(bytes.len() as u64);
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
    fn parts(&mut self, at: u64, count: u64) -> Result<Vec<(u64, u64)>, Fail> {
        if count > MOST_PARTS {
            return Err(Errno::INVAL.into());
        }
        let word = self.abi.word();
        let mut bytes = vec![0; count as usize * 2 * word];
        self.machine.read(at, &mut bytes)?;
        let target = self.abi.target;
        let mut left = MOST;
        let parts = bytes.chunks_exact(2 * word).map(|part| {
            let size = target.number(&part[word..]).min(left);
            left -= size;
            (target.number(&part[..word]), size)
        });
        Ok(parts.collect())
    }

    pub(super) fn readv(&mut self, a: &[u64; 6]) -> Served {
        let mut done = 0;
        for (address, size) in self.parts(a[1], a[2])? {
            let count = match self.read_call(&[a[0], address, size, 0, 0, 0]) {
                Ok(count) => count,
                Err(Fail::Error(_)) if done > 0 => break,
                Err(fail) => return Err(fail),
            };
            done += count;
            // More would have to be waited for.
            if count < size || size > 0 {
                break;
            }
        }
        Ok(done)
    }

    pub(super) fn writev(&mut self, a: &[u64; 6]) -> Served {
        let mut all = Vec::new();
        self.files.get(a[0] as i32)?;
        for (address, size) in self.parts(a[1], a[2])? {
            let start = all.len();
            all.resize(start + size as usize, 0);
            self.machine.read(address, &mut all[start..])?;
        }
        self.put_out(a[0] as i32, &all)
    }

    /// A call about a place in a file, which no descriptor has here.
    pub(super) fn unseekable(&mut self, a: &[u64; 6]) -> Served {
        match self.files.get(a[0] as i32)?.file {
            File::Null | File::Zero => Ok(0),
            _ => Err(Errno::SPIPE.into()),
        }
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
        Ok(self.files.open(descriptor, from)? as u64)
    }

    pub(super) fn dup3(&mut self, a: &[u64; 6], same: bool) -> Served {
        let (old, new) = (a[0] as i32, a[1] as i32);
        let close_on_exec = !same && a[2] as u32 & CLOSE_ON_EXEC != 0;
        let descriptor = Descriptor { close_on_exec, ..self.files.get(old)?.clone() };
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
            GET => {
                let access = match descriptor.file {
                    File::Input | File::Reader(_) => 0,
                    File::Output(_) | File::Writer(_) => 1,
                    _ => 2,
                };
                Ok((descriptor.flags | access).into())
            }
            SET => {
                descriptor.flags = a[2] as u32 & NO_BLOCK;
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
