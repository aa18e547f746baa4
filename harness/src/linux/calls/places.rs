//! Calls about places in a file: reading and writing there, moving there, its end, and what is in a directory.

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use crate::executor::Guest as _;
use crate::executor::hosted::engine::Engine;
use crate::linux::abi::Structure;
use crate::linux::files::File;
use crate::linux::opened::{Entry, Opened};
use crate::linux::{Fail, Process, Served};

/// Bytes of a directory that one call tells, at most.
const MOST_LISTED: u64 = 1 << 16;
/// Work that an entry of a directory is taken for.
const ENTRY: u64 = 64;
/// Host work that reading and keeping an entry is taken for.
const READ: u64 = 1024;

/// Two halves of a number in registers.
pub(super) fn pair(low: u64, high: u64) -> u64 {
    low & 0xffff_ffff | high << 32
}

impl<E: Engine + 'static> Process<E> {
    /// An open file of the host, or what a call about places says of anything else.
    fn placed(&self, number: u64) -> Result<std::rc::Rc<Opened>, Errno> {
        self.opened(number as i64, Errno::SPIPE).cloned()
    }

    /// lseek, whose offset has 64 bits.
    pub(super) fn seek(&mut self, number: u64, offset: i64, whence: u64) -> Served {
        if matches!(self.files.get(number as i32)?.file, File::Null | File::Zero) {
            return Ok(0);
        }
        let opened = self.placed(number)?;
        let start = || u64::try_from(offset).map_err(|_| Errno::INVAL);
        let to = match whence & 0xffff_ffff {
            0 => SeekFrom::Start(start()?),
            1 => SeekFrom::Current(offset),
            2 => SeekFrom::End(offset),
            3 => SeekFrom::Data(start().map_err(|_| Errno::NXIO)?),
            4 => SeekFrom::Hole(start().map_err(|_| Errno::NXIO)?),
            _ => return Err(Errno::INVAL.into()),
        };
        Ok(opened.seek(to)?)
    }

    /// lseek where a long has 32 bits. Where that is not enough for the result, the process is told.
    pub(super) fn seek_narrow(&mut self, a: &[u64; 6]) -> Served {
        let at = self.seek(a[0], i64::from(a[1] as i32), a[2])?;
        if at > 0x7fff_ffff { Err(Errno::OVERFLOW.into()) } else { Ok(at) }
    }

    pub(super) fn llseek(&mut self, a: &[u64; 6]) -> Served {
        let at = self.seek(a[0], pair(a[2], a[1]) as i64, a[4])?;
        self.machine.write(a[3], &Structure::new(&self.abi).long(at).bytes())?;
        Ok(0)
    }

    pub(super) fn pread(&mut self, a: &[u64; 6], offset: u64) -> Served {
        self.at(a[0], offset)?;
        self.read_at(a[0], &[(a[1], a[2])], Some(offset))
    }

    pub(super) fn pwrite(&mut self, a: &[u64; 6], offset: u64) -> Served {
        self.at(a[0], offset)?;
        self.write_at(a[0], &[(a[1], a[2])], Some(offset))
    }

    pub(super) fn preadv(&mut self, a: &[u64; 6], offset: u64) -> Served {
        self.at(a[0], offset)?;
        let parts = self.parts(a[1], a[2])?;
        self.read_at(a[0], &parts, Some(offset))
    }

    pub(super) fn pwritev(&mut self, a: &[u64; 6], offset: u64) -> Served {
        self.at(a[0], offset)?;
        let parts = self.parts(a[1], a[2])?;
        self.write_at(a[0], &parts, Some(offset))
    }

    /// Whether a descriptor has this offset.
    fn at(&self, number: u64, offset: u64) -> Result<(), Errno> {
        if offset > i64::MAX as u64 {
            return Err(Errno::INVAL);
        }
        match self.files.get(number as i32)?.file {
            File::Null | File::Zero | File::Random | File::Opened(_) => Ok(()),
            _ => Err(Errno::SPIPE),
        }
    }

    pub(super) fn ftruncate(&mut self, number: u64, length: u64) -> Served {
        if length > i64::MAX as u64 {
            return Err(Errno::INVAL.into());
        }
        let opened = self.opened(number as i64, Errno::INVAL)?.clone();
        self.settle_file(&opened)?;
        self.files.set_length(&opened, length)?;
        self.refresh(&opened)?;
        Ok(0)
    }

    pub(super) fn sync_file(&mut self, a: &[u64; 6], data: bool) -> Served {
        let opened = self.opened(a[0] as i64, Errno::INVAL)?;
        if let Some(fd) = opened.fd().filter(|_| !opened.is_directory()) {
            if data { rustix::fs::fdatasync(fd) } else { rustix::fs::fsync(fd) }?;
        }
        Ok(0)
    }

    pub(super) fn getdents64(&mut self, a: &[u64; 6]) -> Served {
        let room = (a[2] & 0xffff_ffff).min(MOST_LISTED) as usize;
        let opened = self.opened(a[0] as i64, Errno::NOTDIR)?.clone();
        let mut bytes = Vec::new();
        let mut is_full = false;
        let read = opened.list(|entry, next| {
            let record = record(&self.abi, entry, next);
            is_full = bytes.len() + record.len() > room;
            if !is_full {
                bytes.extend(record);
            }
            !is_full
        })?;
        // They are kept as long as the directory is open.
        self.machine.spend(READ * read + ENTRY * bytes.len() as u64 / 8)?;
        if bytes.is_empty() && is_full {
            return Err(Errno::INVAL.into());
        }
        self.machine.write(a[1], &bytes)?;
        Ok(bytes.len() as u64)
    }

    /// Locks of files are had at once: nobody else is there to hold one.
    pub(super) fn get_lock(&mut self, at: u64) -> Result<u64, Fail> {
        /// F_UNLCK
        const UNLOCKED: [u8; 2] = [2, 0];
        self.machine.write(at, &UNLOCKED)?;
        Ok(0)
    }
}

/// `struct linux_dirent64`
fn record(abi: &crate::linux::abi::Abi, entry: &Entry, next: u64) -> Vec<u8> {
    let size = (19 + entry.name.len() + 1).next_multiple_of(8);
    let structure = Structure::new(abi).long(entry.inode).long(next).half(size as u16).raw(&[entry.kind]);
    structure.raw(&entry.name).up_to(size).bytes()
}
