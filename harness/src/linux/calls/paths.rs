//! Calls about names of files, and what is known of a file.

use rustix::io::Errno;

use crate::executor::Guest as _;
use crate::executor::hosted::engine::{Engine, PAGE};
use crate::linux::abi::Structure;
use crate::linux::files::{Descriptor, File, NO_BLOCK};
use crate::linux::stack::USER;
use crate::linux::{Fail, Process, Served};

/// Bytes of a path, with the zero behind it (PATH_MAX).
const LONGEST: usize = 4096;
/// AT_EMPTY_PATH
const EMPTY_PATH: u64 = 0x1000;
/// What C libraries ask for to learn who they are.
const OURSELVES: &[u8] = b"/proc/self/exe";

/// The files that every process finds.
const DEVICES: &[(&[u8], File)] = &[
    (b"/dev/null", File::Null),
    (b"/dev/zero", File::Zero),
    (b"/dev/random", File::Random),
    (b"/dev/urandom", File::Random),
];

/// What is known of a file.
struct Known {
    mode: u32,
    inode: u64,
}

impl Known {
    fn of(file: &File) -> Known {
        Known { mode: file.mode(), inode: 1 }
    }
}

impl<E: Engine + 'static> Process<E> {
    /// A path that the process names.
    fn path(&mut self, at: u64) -> Result<Vec<u8>, Fail> {
        let mut path = Vec::new();
        while path.len() < LONGEST {
            let here = at.wrapping_add(path.len() as u64);
            // It may end just before memory that is not there.
            let mut piece = [0; 256];
            let size = (256 - here % 256) as usize;
            self.machine.read(here, &mut piece[..size])?;
            match piece[..size].iter().position(|&byte| byte == 0) {
                Some(end) => {
                    path.extend_from_slice(&piece[..end]);
                    return Ok(path);
                }
                None => path.extend_from_slice(&piece[..size]),
            }
        }
        Err(Errno::NAMETOOLONG.into())
    }

    pub(super) fn openat(&mut self, path: u64, flags: u32) -> Served {
        const CREATE: u32 = 0o100;
        let path = self.path(path)?;
        let Some((_, file)) = DEVICES.iter().find(|(name, _)| *name == path) else {
            return Err(if flags & CREATE != 0 { Errno::ACCESS } else { Errno::NOENT }.into());
        };
        let close_on_exec = flags & super::files::CLOSE_ON_EXEC != 0;
        let descriptor = Descriptor { file: file.clone(), flags: flags & NO_BLOCK, close_on_exec };
        Ok(self.files.open(descriptor, 0)? as u64)
    }

    fn known(&mut self, path: u64) -> Result<Known, Fail> {
        let path = self.path(path)?;
        let device = DEVICES.iter().find(|(name, _)| *name == path).ok_or(Errno::NOENT)?;
        Ok(Known::of(&device.1))
    }

    pub(super) fn fstat(&mut self, a: &[u64; 6]) -> Served {
        let known = Known::of(&self.files.get(a[0] as i32)?.file);
        self.machine.write(a[1], &self.stat(&known))?;
        Ok(0)
    }

    /// The file of a descriptor, where the path is empty, or else that of the path.
    fn named(&mut self, number: u64, path: u64, flags: u64) -> Result<Known, Fail> {
        let mut first = [0];
        self.machine.read(path, &mut first)?;
        if first == [0] && flags & EMPTY_PATH != 0 {
            return Ok(Known::of(&self.files.get(number as i32)?.file));
        }
        self.known(path)
    }

    pub(super) fn fstatat(&mut self, a: &[u64; 6]) -> Served {
        let known = self.named(a[0], a[1], a[3])?;
        self.machine.write(a[2], &self.stat(&known))?;
        Ok(0)
    }

    /// `struct stat` of AArch64, and `struct stat64` of ARM.
    fn stat(&self, known: &Known) -> Vec<u8> {
        let structure = Structure::new(&self.abi);
        let user = USER as u32;
        if self.abi.is_64 {
            let structure = structure.long(1).long(known.inode).int(known.mode).int(1).int(user).int(user);
            // st_rdev, a hole, st_size and st_blksize.
            return structure.long(0).long(0).long(0).int(PAGE as u32).up_to(128).bytes();
        }
        let structure = structure.long(1).int(0).int(known.inode as u32).int(known.mode).int(1).int(user).int(user);
        let structure = structure.up_to(48).long(0).int(PAGE as u32).up_to(96);
        structure.long(known.inode).bytes()
    }

    pub(super) fn statx(&mut self, a: &[u64; 6]) -> Served {
        /// STATX_BASIC_STATS
        const BASIC: u32 = 0x7ff;
        let known = self.named(a[0], a[1], a[2])?;
        let user = USER as u32;
        let structure = Structure::new(&self.abi).int(BASIC).int(PAGE as u32).long(0).int(1).int(user).int(user);
        let structure = structure.half(known.mode as u16).half(0).long(known.inode);
        self.machine.write(a[4], &structure.up_to(256).bytes())?;
        Ok(0)
    }

    pub(super) fn readlink(&mut self, path: u64, into: u64, size: u64) -> Served {
        let path = self.path(path)?;
        if path != OURSELVES {
            let device = DEVICES.iter().any(|(name, _)| *name == path);
            return Err(if device { Errno::INVAL } else { Errno::NOENT }.into());
        }
        let name = if self.name.starts_with('/') { self.name.clone() } else { format!("/{}", self.name) };
        let count = name.len().min(size as usize);
        self.machine.write(into, &name.as_bytes()[..count])?;
        Ok(count as u64)
    }

    pub(super) fn access(&mut self, path: u64) -> Served {
        self.known(path)?;
        Ok(0)
    }

    /// The root, of which nothing else is known.
    pub(super) fn getcwd(&mut self, a: &[u64; 6]) -> Served {
        if a[1] < 2 {
            return Err(Errno::RANGE.into());
        }
        self.machine.write(a[0], b"/\0")?;
        Ok(2)
    }

    pub(super) fn nothing_is_made(&mut self, path: u64) -> Served {
        self.path(path)?;
        Err(Errno::ROFS.into())
    }

    pub(super) fn nothing_is_there(&mut self, path: u64) -> Served {
        let is_device = self.known(path).is_ok();
        Err(if is_device { Errno::ROFS } else { Errno::NOENT }.into())
    }
}
