//! Calls about what is known of a file.

use rustix::fs::{Mode, OFlags, Statx, readlinkat};
use rustix::io::Errno;

use super::paths::HERE;
use crate::executor::Guest as _;
use crate::executor::hosted::engine::{Engine, PAGE};
use crate::linux::abi::Structure;
use crate::linux::files::File;
use crate::linux::opened::status;
use crate::linux::roots::{Beneath, Place, Special};
use crate::linux::stack::USER;
use crate::linux::{Fail, Process, Served};

/// AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH.
pub(super) const NO_FOLLOW: u64 = 0x100;
pub(super) const EMPTY_PATH: u64 = 0x1000;

/// A time: seconds since 1970, and nanoseconds.
type Time = (i64, u32);

/// What is known of a file.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    device: [u32; 2],
    inode: u64,
    mode: u32,
    links: u32,
    user: u32,
    group: u32,
    size: u64,
    /// In units of 512 bytes.
    blocks: u64,
    accessed: Time,
    born: Time,
    changed: Time,
    modified: Time,
}

impl Known {
    /// Something that the host does not have.
    fn own(mode: u32) -> Known {
        let user = USER as u32;
        Known { device: [0, 1], inode: 1, mode, links: 1, user, group: user, ..Known::default() }
    }

    /// What the host knows of one of its files. Our user is the process's.
    fn of_host(status: &Statx) -> Known {
        let own = |id: u32, ours: u32| if id == ours { USER as u32 } else { id };
        let time = |time: rustix::fs::StatxTimestamp| (time.tv_sec, time.tv_nsec);
        Known {
            device: [status.stx_dev_major, status.stx_dev_minor],
            inode: status.stx_ino,
            mode: status.stx_mode.into(),
            links: status.stx_nlink,
            user: own(status.stx_uid, rustix::process::geteuid().as_raw()),
            group: own(status.stx_gid, rustix::process::getegid().as_raw()),
            size: status.stx_size,
            blocks: status.stx_blocks,
            accessed: time(status.stx_atime),
            born: time(status.stx_btime),
            changed: time(status.stx_ctime),
            modified: time(status.stx_mtime),
        }
    }

    fn of(file: &File) -> Result<Known, Errno> {
        match file {
            File::Opened(opened) => {
                opened.fd().map_or(Ok(Known::own(DIRECTORY)), |fd| Ok(Known::of_host(&status(fd)?)))
            }
            other => Ok(Known::own(other.mode())),
        }
    }

    /// As `makedev` puts it together.
    fn device(&self) -> u64 {
        let [major, minor] = self.device.map(u64::from);
        major << 8 & 0xf_ff00 | minor & 0xff | (minor & !0xff) << 12
    }
}

/// S_IFDIR, which everybody may read and nobody write.
const DIRECTORY: u32 = 0o040_555;
/// S_IFLNK
const LINK: u32 = 0o120_777;

impl<E: Engine + 'static> Process<E> {
    pub(super) fn fstat(&mut self, a: &[u64; 6]) -> Served {
        let known = Known::of(&self.files.get(a[0] as i32)?.file)?;
        self.machine.write(a[1], &self.stat(&known))?;
        Ok(0)
    }

    /// The file of a descriptor, where the path is empty, or else that of the path.
    fn known(&mut self, from: u64, path: u64, flags: u64) -> Result<Known, Fail> {
        let path = self.path(path)?;
        if path.is_empty() && flags & EMPTY_PATH != 0 {
            if from as i32 != HERE as i32 {
                return Ok(Known::of(&self.files.get(from as i32)?.file)?);
            }
            return self.known_path(HERE, b".", flags);
        }
        self.known_path(from, &path, flags)
    }

    fn known_path(&mut self, from: u64, path: &[u8], flags: u64) -> Result<Known, Fail> {
        match self.find_path(from, path)?.place {
            Place::Special(Special::Ourselves) if flags & NO_FOLLOW != 0 => Ok(Known::own(LINK)),
            Place::Special(Special::Ourselves) => {
                let program = self.find_path(HERE, &self.program())?;
                match program.place {
                    Place::Beneath(beneath) => self.known_beneath(&beneath, flags),
                    _ => Err(Errno::ACCESS.into()),
                }
            }
            Place::Special(Special::Null) => Ok(Known::own(File::Null.mode())),
            Place::Special(Special::Zero | Special::Random) => Ok(Known::own(File::Zero.mode())),
            Place::Special(Special::Standard(number)) => Ok(Known::of(&self.files.get(number)?.file)?),
            Place::Above(_) => Ok(Known::own(DIRECTORY)),
            Place::Beneath(beneath) => self.known_beneath(&beneath, flags),
            Place::Nowhere => Err(Errno::NOENT.into()),
        }
    }

    fn known_beneath(&self, at: &Beneath, flags: u64) -> Result<Known, Fail> {
        let follow = if flags & NO_FOLLOW != 0 { OFlags::NOFOLLOW } else { OFlags::empty() };
        let fd = self.roots.open(at, OFlags::PATH | follow, Mode::empty())?;
        Ok(Known::of_host(&status(&fd)?))
    }

    pub(super) fn fstatat(&mut self, a: &[u64; 6]) -> Served {
        let known = self.known(a[0], a[1], a[3])?;
        self.machine.write(a[2], &self.stat(&known))?;
        Ok(0)
    }

    /// `struct stat` of AArch64, and `struct stat64` of ARM.
    fn stat(&self, known: &Known) -> Vec<u8> {
        let Known { inode, mode, links, user, group, size, blocks, .. } = *known;
        let mut structure = Structure::new(&self.abi).long(known.device());
        structure = if self.abi.is_64 {
            // st_rdev and a hole follow, and one behind st_blksize.
            let structure = structure.long(inode).int(mode).int(links).int(user).int(group).long(0).long(0);
            structure.long(size).int(PAGE as u32).int(0).long(blocks)
        } else {
            let structure = structure.int(0).int(inode as u32).int(mode).int(links).int(user).int(group);
            structure.up_to(48).long(size).int(PAGE as u32).int(0).long(blocks)
        };
        for (seconds, nanoseconds) in [known.accessed, known.modified, known.changed] {
            structure = structure.word(seconds as u64).word(nanoseconds.into());
        }
        if self.abi.is_64 { structure.up_to(128).bytes() } else { structure.long(inode).bytes() }
    }

    pub(super) fn statx(&mut self, a: &[u64; 6]) -> Served {
        /// STATX_BASIC_STATS and STATX_BTIME
        const MASK: u32 = 0xfff;
        let known = self.known(a[0], a[1], a[2])?;
        let Known { inode, mode, links, user, group, size, blocks, device, .. } = known;
        let structure = Structure::new(&self.abi).int(MASK).int(PAGE as u32).long(0).int(links).int(user).int(group);
        let mut structure = structure.half(mode as u16).half(0).long(inode).long(size).long(blocks).long(0);
        for (seconds, nanoseconds) in [known.accessed, known.born, known.changed, known.modified] {
            structure = structure.long(seconds as u64).int(nanoseconds).int(0);
        }
        structure = structure.int(0).int(0).int(device[0]).int(device[1]);
        self.machine.write(a[4], &structure.up_to(256).bytes())?;
        Ok(0)
    }

    pub(super) fn readlink(&mut self, from: u64, path: u64, into: u64, size: u64) -> Served {
        let path = self.path(path)?;
        if size == 0 {
            return Err(Errno::INVAL.into());
        }
        let link = if path.is_empty() {
            let opened = self.opened(from as i64, Errno::NOENT)?;
            readlinkat(opened.fd().ok_or(Errno::NOENT)?, "", Vec::new()).map_err(|_| Errno::NOENT)?.into_bytes()
        } else {
            match self.find_path(from, &path)?.place {
                Place::Special(Special::Ourselves) => self.program(),
                Place::Special(_) | Place::Above(_) => return Err(Errno::INVAL.into()),
                Place::Nowhere => return Err(Errno::NOENT.into()),
                Place::Beneath(beneath) => {
                    let fd = self.roots.open(&beneath, OFlags::PATH | OFlags::NOFOLLOW, Mode::empty())?;
                    // What an empty path names is no link: ENOENT.
                    let link = readlinkat(&fd, "", Vec::new());
                    link.map_err(|errno| if errno == Errno::NOENT { Errno::INVAL } else { errno })?.into_bytes()
                }
            }
        };
        let count = link.len().min(size as usize);
        self.machine.write(into, &link[..count])?;
        Ok(count as u64)
    }

    /// Whether a process may read, write or execute: by the rights of the file, and whether it may be changed at all.
    pub(super) fn access(&mut self, from: u64, path: u64, wanted: u64, flags: u64) -> Served {
        const WRITE: u64 = 2;
        const EXECUTE: u64 = 1;
        if wanted & !7 != 0 {
            return Err(Errno::INVAL.into());
        }
        let known = self.known(from, path, flags)?;
        if wanted & WRITE != 0 {
            match self.find(from, path)?.place {
                Place::Beneath(beneath) if !self.roots.is_writable(&beneath) => return Err(Errno::ROFS.into()),
                Place::Above(_) => return Err(Errno::ROFS.into()),
                _ => {}
            }
        }
        let mode = u64::from(known.mode);
        let class = if known.user == USER as u32 {
            mode >> 6
        } else if known.group == USER as u32 {
            mode >> 3
        } else {
            mode
        };
        // root may do everything, but execute what nobody may.
        let allowed = match rustix::process::geteuid().is_root() {
            true => 6 | if mode & 0o111 != 0 { EXECUTE } else { 0 },
            false => class,
        };
        if wanted & !allowed & 7 != 0 { Err(Errno::ACCESS.into()) } else { Ok(0) }
    }
}
